"""Readers of CoNLL's columns: a word and its tag in each line, a blank line between sentences; tagged JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import json_rows, numbered_lines
from stilts.data.readers.texts import word_in, words_in
from stilts.errors import DataError, InputError
from stilts.metrics.schemes import OUTSIDE, rewritten, scheme_named
from stilts.tasks.kinds.tagging import TaggingExample

_BLANKS = re.compile(r"[ \t]+")
# Fewer words than this may begin alike by chance.
_ENOUGH_WORDS = 10
Line = tuple[int, list[str]]


def read_bio_tsv(reading: Reading) -> Iterator[TaggingExample]:
    """WikiANN's sentences: word TAB tag, a blank line between two; the item is ``<language>/<number from 0>``.

    Options ``comments``, ``scheme`` and ``word_prefix`` as for ``read_bio_columns``. Words may hold spaces.
    """
    yield from _read(reading, _Columns(reading, "\t", 2, 1, 2))


def read_bio_columns(reading: Reading) -> Iterator[TaggingExample]:
    """CoNLL's sentences: columns parted by spaces or tabs, first the word, last its tag (CoNLL-2003, MasakhaNER).

    Option ``columns`` is their number (2), ``word_column`` and ``tag_column`` say where else the two stand, counted
    from 1. ``comments`` is what a line before a sentence begins with that is none of it (true: ``#``). ``word_prefix``
    is taken off every word (WikiANN's own files: ``en:``). ``scheme`` says how the files write spans, where that is not
    as the task does: IOB1, as in the release of 2003, has B- only where two names touch; tags are then rewritten.
    Document marks (``-DOCSTART-``) are counted as left out. The item is ``<language>/<number from 0>``.
    """
    columns = int(str(reading.options.get("columns", 2)))
    word, tag = (int(str(reading.options.get(f"{at}_column", where))) for at, where in (("word", 1), ("tag", columns)))
    for name, place in (("word_column", word), ("tag_column", tag)):
        if place > columns:
            found = f"there are {columns} columns"
            raise InputError(f'reader "bio_columns", {name} {place}', found, "", "Correct it, or columns")
    yield from _read(reading, _Columns(reading, "", columns, word, tag))


def read_tagged_jsonl(reading: Reading) -> Iterator[TaggingExample]:
    """A JSON object per line with a list of words and a list of tags, as the hub's tools write them.

    Options ``words`` (tokens) and ``tags`` (ner_tags) name the fields, ``item`` that of the item (else the row number
    from 0, in its language); ``label_map`` gives numbers their names. ``scheme`` as for ``read_bio_columns``.
    """
    names = {
        key: str(reading.options.get(key, default)) for key, default in (("words", "tokens"), ("tags", "ner_tags"))
    }
    at_item = str(reading.options.get("item", ""))
    number = -1
    for path in reading.paths:
        for line, row in reading.spoken(json_rows(path), path):
            number += 1
            words = _list(row.get(names["words"]), path, line, names["words"])
            given: Sequence[object] = [""] * len(words)
            if not reading.unlabelled:
                given = _list(row.get(names["tags"]), path, line, names["tags"])
            if len(given) != len(words):
                raise DataError(path, f"{len(given)} tags for {len(words)} words", line=line, field=names["tags"])
            item = str(row[at_item]) if at_item and at_item in row else str(number)
            yield TaggingExample(
                item=f"{reading.language}/{item}",
                words=tuple(word_in(word, path, line, names["words"]) for word in words),
                tags=tuple(_listed_tags(given, reading, path, line, names["tags"])),
            )


@dataclass(slots=True)
class _Columns:
    """How the columns of a file are told: parted by tabs, or ("") by blanks; columns count from 1."""

    reading: Reading
    parted_by: str
    number: int
    word: int
    tag: int
    words: int = field(default=0, init=False)
    prefixed: int = field(default=0, init=False)

    def cells(self, text: str) -> list[str]:
        """The cells of a line."""
        return text.split(self.parted_by) if self.parted_by else _BLANKS.split(text.strip(" \t"))

    def is_comment(self, text: str) -> bool:
        """Whether a line before a sentence is none of its words: it begins as comments do, and is no whole row."""
        mark = self.reading.options.get("comments")
        if mark is None or mark is False or not text.startswith("#" if mark is True else str(mark)):
            return False
        cells, labels = self.cells(text), self.reading.labels
        return len(cells) != self.number or (labels is not None and cells[self.tag - 1] not in labels)

    def wrong_number(self, found: int, path: Path, line: int) -> DataError:
        """The error of a line with another number of cells."""
        why = "A line is a word, a tab and its tag" if self.parted_by else f"The option columns says {self.number}"
        step = "If the line is a comment, write options: {comments: ...} with what it begins with"
        if not self.parted_by and found == 1:
            step = f"A word and its tag are parted by spaces or tabs, by no other blank. {step}"
        elif not self.parted_by:
            step = f"If all lines have {found}, write options: {{columns: {found}}}. {step}"
        return DataError(path, f"{found} columns", line=line, why=why, next_step=step)

    def words_of(self, cells: list[str], path: Path, lines: list[int]) -> tuple[str, ...]:
        """The words of a sentence, without the prefix that is declared."""
        prefix = self.reading.options.get("word_prefix")
        self.words += len(cells)
        if isinstance(prefix, str):
            for cell, line in zip(cells, lines, strict=True):
                if not cell.startswith(prefix):
                    raise DataError(path, f'"{cell[:40]}" does not begin with "{prefix}"', line=line, field="word")
            cells = [cell[len(prefix) :] for cell in cells]
        elif self.prefixed == self.words - len(cells):  # all did so far
            self.prefixed += sum(cell.startswith(f"{self.reading.language}:") for cell in cells)
        return words_in(cells, path, lines, "word")

    def refuse_prefixes(self, path: Path) -> None:
        """Raises DataError where every word began with its language, as in WikiANN's own files."""
        if self.words >= _ENOUGH_WORDS and self.prefixed == self.words:
            language = self.reading.language
            raise DataError(
                path,
                f'every word begins with "{language}:", as in WikiANN\'s own files',
                field="word",
                why="A model would read the language before each word",
                next_step='Write options: {word_prefix: "{lang}:"}, which takes it off',
            )


def _read(reading: Reading, columns: _Columns) -> Iterator[TaggingExample]:
    number = -1
    for path in reading.paths:
        for rows in _sentences(path, columns):
            if columns.cells(rows[0][1][0])[0] == "-DOCSTART-":
                reading.skipped["document mark"] += 1
                rows = rows[1:]
            if not rows:
                continue
            for line, cells in rows:
                if len(cells) != columns.number:
                    raise columns.wrong_number(len(cells), path, line)
            lines = [line for line, _ in rows]
            words = columns.words_of([cells[columns.word - 1] for _, cells in rows], path, lines)
            tags = _tags([cells[columns.tag - 1] for _, cells in rows], reading, path, lines)
            number += 1
            yield TaggingExample(item=f"{reading.language}/{number}", words=words, tags=tuple(tags))
        columns.refuse_prefixes(path)


def _sentences(path: Path, columns: _Columns) -> Iterator[list[Line]]:
    """Blocks between blank lines, each line as its number and cells; comments before a block left out."""
    rows: list[Line] = []
    for line, text in numbered_lines(path):
        if not text.strip():
            if rows:
                yield rows
            rows = []
        elif rows or not columns.is_comment(text):
            rows.append((line, columns.cells(text)))
    if rows:
        yield rows


def _tags(tags: list[str], reading: Reading, path: Path, lines: Sequence[int], at: str = "tag") -> list[str]:
    """The task's names of a sentence's tags. A scheme is read before labels are checked: it changes them."""
    return reading.labels_of(_in_task_scheme(tags, reading, path, lines), path, lines, at)


def _listed_tags(given: Sequence[object], reading: Reading, path: Path, line: int, at: str) -> list[str]:
    """As ``_tags``, of a list on one line; numbers have to be named before their scheme can be read."""
    lines = [line] * len(given)
    texts = [tag for tag in given if isinstance(tag, str)]
    if len(texts) == len(given):
        return _tags(texts, reading, path, lines, at)
    return _in_task_scheme([reading.label(tag, path, line=line, at=at) for tag in given], reading, path, lines)


def _in_task_scheme(tags: list[str], reading: Reading, path: Path, lines: Sequence[int]) -> list[str]:
    """The tags as the task writes them, where option ``scheme`` says that the files write them otherwise.

    ``lines`` are those that the tags stand on.
    """
    name = reading.options.get("scheme")
    if name is None or reading.unlabelled:
        return tags
    scheme = scheme_named(str(name))
    written = rewritten(tags, scheme, reading.labels)
    for place, (tag, new) in enumerate(zip(tags, written, strict=True)):
        if (tag == OUTSIDE) != (new == OUTSIDE):
            found = f'"{tag}" of word {place + 1} is part of no whole span of the scheme {scheme.name}'
            step = "Correct the tag, or the scheme"
            raise DataError(path, found, line=lines[place], field="tag", why="Its word would be lost", next_step=step)
    return written


def _list(value: object, path: Path, line: int, at: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise DataError(path, "not a list with something in it", line=line, field=at)
    return value
