"""Reading: one request to a reader, and the checks that every reader shares.

A reader is a function from a ``Reading`` to examples. Whatever it cannot make an example of is a DataError that names
file, line and field; nothing is dropped silently: a row that a release's own convention leaves
out is counted in ``skipped`` under its reason.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import BinaryIO, TypeAlias

from stilts.bounded_file import open_bounded, read_bounded, sized
from stilts.bounded_json import parsed_json
from stilts.errors import DataError
from stilts.fingerprint import Json
from stilts.tasks.example import LONGEST_TEXT, Example

# MultiEURLEX's train.jsonl, 55,000 laws in 23 languages, is the largest file that a reader is for: about 7 GB.
MOST_BYTES_OF_LINES = 16 * 2**30
# A line of that file holds one law in all languages: a few MB at most.
LONGEST_LINE = 64 * 2**20
# HotpotQA's train file, 540 MB, is the largest release that is one JSON document. Text and values need some three
# times as much memory as the file.
MOST_BYTES_OF_A_DOCUMENT = 2**30
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader is asked for: files in a stated order, their language, the format's options, the labels allowed.

    ``labels`` None accepts any label. ``skipped`` counts, by reason, the rows that the release says to leave out.
    """

    paths: tuple[Path, ...]
    language: str
    options: Mapping[str, Json] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    def label(self, raw: object, path: Path, *, line: int | None = None, at: str = "label") -> str:
        """The task's name of a label as written; ``label_map`` of the options translates. Raises for an unknown one.

        Option ``unseen`` names the label that stands for all that the task does not list (an open inventory).
        """
        mapping = self.options.get("label_map", {})
        known = mapping if isinstance(mapping, Mapping) else {}
        label = str(known.get(str(raw), raw))
        if self.labels is not None and label not in self.labels:
            unseen = self.options.get("unseen")
            if isinstance(unseen, str) and unseen in self.labels:
                return unseen
            raise DataError(
                path,
                f'label "{label}" is none of the task\'s',
                line=line,
                field=at,
                why=f"Labels are {', '.join(self.labels)}",
                next_step="Mend the line, or the task's labels",
            )
        return label


Reader: TypeAlias = Callable[[Reading], Iterator[Example]]


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The file's lines with their numbers from 1, without their ends (only ``\\n`` and ``\\r\\n`` end a line).

    One line is in memory at a time. Raises DataError for a missing file, for a line that is too long, and for bytes
    that are not UTF-8, with their line.
    """
    with open_bounded(path, MOST_BYTES_OF_LINES) as stream:
        for number in count(1):
            raw = _line_of(stream, path, number)
            if number == 1:
                raw = raw.removeprefix(_BOM)
            if not raw:
                return
            yield number, _decoded(raw.removesuffix(b"\n").removesuffix(b"\r"), path, number)


def whole_text(path: Path) -> str:
    """The file as text, its lines ended by ``\\n``; raises DataError for one that is too large or not UTF-8."""
    raw = read_bounded(path, MOST_BYTES_OF_A_DOCUMENT).removeprefix(_BOM)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        start = raw.rfind(b"\n", 0, error.start) + 1
        raise _no_utf8(path, line, raw[error.start], error.start - start) from error
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else f"{text}\n"


def tab_rows(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Lines of tab-separated columns, no quoting; raises DataError for a line with another number of columns."""
    for number, line in numbered_lines(path):
        row = line.split("\t")
        if len(row) != columns:
            raise DataError(
                path,
                f"{len(row)} tab-separated columns",
                line=number,
                why=f"This format has {columns}",
                next_step="Mend the line",
            )
        yield number, row


def headed_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines below a header of tab-separated names, no quoting; raises DataError for another number of columns."""
    header: list[str] | None = None
    for number, line in numbered_lines(path):
        cells = line.split("\t")
        if header is None:
            header = cells
            if len(set(header)) != len(header):
                raise DataError(path, "the header names a column twice", line=number, why=", ".join(header))
        elif len(cells) != len(header):
            raise DataError(path, f"{len(cells)} columns", line=number, why=f"The header names {len(header)}")
        else:
            yield number, dict(zip(header, cells, strict=True))


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """One JSON object per line, blank lines left out; raises DataError for a line that is none."""
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        row = parsed_json(line, path, first_line=number, why="Every line is one JSON object")
        if not isinstance(row, dict):
            raise DataError(path, f"a JSON {type(row).__name__}", line=number, why="Every line is one JSON object")
        yield number, row


def csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Records of a CSV with a header, numbered by the line that they begin on; raises DataError for a broken one."""
    # Not splitlines: U+2028 and its like end no record.
    reader = csv.reader((f"{line}\n" for _, line in numbered_lines(path)), strict=True)
    header: list[str] | None = None
    while True:
        first_line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(
                path,
                f"broken CSV: {error}",
                line=first_line,
                why="A quote that is opened here is not closed where it should be",
                next_step="Close it, and double the quotes within a field",
            ) from error
        if row is None:
            return
        if header is None:
            header = row
            if len(set(header)) != len(header):
                raise DataError(path, "the header names a column twice", line=first_line, why=", ".join(header))
        elif len(row) != len(header):
            raise DataError(path, f"{len(row)} columns", line=first_line, why=f"The header names {len(header)}")
        else:
            yield first_line, dict(zip(header, row, strict=True))


def filled(row: Mapping[str, object], key: str, path: object, line: int | None) -> str:
    """The text under ``key``; raises DataError where it is missing, no text, or blank."""
    if key not in row:
        raise DataError(path, "the field is missing", line=line, field=key, why=f"Found {', '.join(row) or 'nothing'}")
    value = row[key]
    if not isinstance(value, str):
        raise DataError(path, f"a {type(value).__name__} where text belongs", line=line, field=key)
    return not_blank(value, path, line, key)


def has_half_characters(value: str) -> bool:
    """Whether a surrogate stands alone in the text: JSON may escape one, UTF-8 has none."""
    return not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)


def not_blank(value: str, path: object, line: int | None, at: str) -> str:
    """The text as it is; raises DataError where nothing is in it, or more than ``LONGEST_TEXT``."""
    if not value.strip():
        raise DataError(
            path,
            "the text is empty",
            line=line,
            field=at,
            why="A model has nothing to read there",
            next_step="Fill the field or take the row out",
        )
    if has_half_characters(value):
        raise DataError(
            path,
            "half of a surrogate pair, which is no character",
            line=line,
            field=at,
            why="JSON may escape it, but it cannot be written as UTF-8",
            next_step="Take it out of the text",
        )
    return bounded(value, path, line, at)


def bounded(value: str, path: object, line: int | None, at: str) -> str:
    """The text as it is; raises DataError where it is longer than a tokenizer can take."""
    if len(value) > LONGEST_TEXT:
        raise DataError(
            path,
            f"a text of {len(value):,} characters",
            line=line,
            field=at,
            why=f"A tokenizer is given at most {LONGEST_TEXT:,}; more would not fit into memory",
            next_step="Split the text, or take it out",
        )
    return value


def _line_of(stream: BinaryIO, path: Path, number: int) -> bytes:
    """The next line with its end, empty at the end of the file; DataError for one beyond ``LONGEST_LINE``."""
    try:
        raw = stream.readline(LONGEST_LINE + 1)
    except OSError as error:
        raise DataError(path, f"it cannot be read ({error.strerror})", line=number) from error
    if len(raw) > LONGEST_LINE:
        raise DataError(
            path,
            f"the line is longer than {sized(LONGEST_LINE)}",
            line=number,
            why="A line is one example at most; this file may be no text, or another format",
            next_step="Get the file again, or correct the reader",
        )
    return raw


def _decoded(raw: bytes, path: Path, line: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _no_utf8(path, line, raw[error.start], error.start) from error


def _no_utf8(path: Path, line: int, byte: int, position: int) -> DataError:
    return DataError(
        path,
        f"byte 0x{byte:02x} at position {position} is not UTF-8",
        line=line,
        why="Every release is read as UTF-8",
        next_step="Convert the file to UTF-8",
    )
