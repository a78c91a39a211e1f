"""Rows of a data file: its lines, tab-separated columns, JSON lines, CSV records, each with its line from 1."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stilts.bounded_file import sized
from stilts.bounded_json import parsed_json
from stilts.data.readers.opened import BROKEN, broken, open_data
from stilts.errors import DataError

# MultiEURLEX's train.jsonl, 55,000 laws in 23 languages, is the largest file that a reader is for: about 7 GB.
MOST_BYTES_OF_LINES = 16 * 2**30
# A line of that file holds one law in all languages: a few MB at most.
LONGEST_LINE = 64 * 2**20
# HotpotQA's train file, 540 MB, is the largest release that is one JSON document. Text and values need some three
# times as much memory as the file.
MOST_BYTES_OF_A_DOCUMENT = 2**30
_BOM = b"\xef\xbb\xbf"
_BLOCK = 2**20
# The library's own bound, 131,072 characters, is less than a long document has; lines are bounded above.
csv.field_size_limit(LONGEST_LINE)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The file's lines with their numbers from 1, without their ends (only ``\\n`` and ``\\r\\n`` end a line).

    A block of lines is in memory at a time. Raises DataError for a missing file, for a line that is too long, and for
    bytes that are not UTF-8, with their line.
    """
    number = 1
    with open_data(path, MOST_BYTES_OF_LINES) as stream:
        for block in _blocks(stream, path):
            try:
                lines = block.decode("utf-8").split("\n")
            except UnicodeDecodeError:
                yield from _one_by_one(block, path, number)
                raise
            yield from enumerate([line.removesuffix("\r") for line in lines] if b"\r" in block else lines, start=number)
            number += len(lines)


def _blocks(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """The bytes in blocks of whole lines, without the last line's end; DataError for a line beyond ``LONGEST_LINE``."""
    rest, number, started = b"", 1, False
    while True:
        try:
            read = stream.read(_BLOCK) if started else stream.read(_BLOCK).removeprefix(_BOM)
        except BROKEN as error:
            raise broken(path, error, number) from error
        started = True
        if not read:
            if rest:
                yield rest
            return
        head, end, tail = read.rpartition(b"\n")
        if not end:
            rest += read
        else:
            yield rest + head
            number += rest.count(b"\n") + head.count(b"\n") + 1
            rest = tail
        if len(rest) > LONGEST_LINE:
            raise _too_long(path, number)


def whole_text(path: Path) -> str:
    """The file as text, its lines ended by ``\\n``; raises DataError for one that is too large or not UTF-8."""
    with open_data(path, MOST_BYTES_OF_A_DOCUMENT) as stream:
        try:
            raw = stream.read().removeprefix(_BOM)
        except BROKEN as error:
            raise broken(path, error) from error
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
                f"{len(row)} tab-separated columns" if line else "the line is empty",
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
            found = f"{len(cells)} columns" if line else "the line is empty"
            raise DataError(path, found, line=number, why=f"The header names {len(header)}")
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


def _too_long(path: Path, number: int) -> DataError:
    return DataError(
        path,
        f"the line is longer than {sized(LONGEST_LINE)}",
        line=number,
        why="A line is one example at most; this file may be no text, or another format",
        next_step="Get the file again, or correct the reader",
    )


def _one_by_one(block: bytes, path: Path, first: int) -> Iterator[tuple[int, str]]:
    """The lines of a block that is not all UTF-8, until the one that is not, which is raised."""
    for number, raw in enumerate(block.split(b"\n"), start=first):
        yield number, _decoded(raw, path, number).removesuffix("\r")


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
