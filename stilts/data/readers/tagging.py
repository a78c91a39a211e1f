"""Readers of tagged words: CoNLL-U treebanks and WikiANN's two columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stilts.data.readers.reading import Reading, not_blank, numbered_lines
from stilts.errors import DataError
from stilts.tasks.examples import TaggingExample

# Parallel Universal Dependencies: n (news) or w (Wikipedia), then document and sentence; the same in all its languages.
_PUD_ID = re.compile(r"[nw]\d{8}")
_COLUMNS = {"upos": 3, "xpos": 4}


def read_conllu(reading: Reading) -> Iterator[TaggingExample]:
    """Sentences of a treebank; option ``column`` is ``upos`` (default) or ``xpos``.

    Ranges of multiword tokens (``3-4``) and empty nodes (``8.1``) are left out, as XTREME does: the syntactic words
    are tagged. Words may hold spaces (Vietnamese). The item is the sentence's id where it is PUD's, which
    all its translations share, else ``<language>/<id>``.
    """
    column = _COLUMNS[str(reading.options.get("column", "upos"))]
    for path in reading.paths:
        for number, (first, comments, rows) in enumerate(_sentences(path)):
            words, tags = _columns(reading, path, rows, column)
            if not words:
                raise DataError(path, "a sentence without words", line=first)
            identifier = comments.get("sent_id", f"row{number}")
            item = identifier if _PUD_ID.fullmatch(identifier) else f"{reading.language}/{identifier}"
            yield TaggingExample(item=item, words=tuple(words), tags=tuple(tags))


def read_bio_tsv(reading: Reading) -> Iterator[TaggingExample]:
    """WikiANN's sentences: word TAB tag, a blank line between two; the item is ``<language>/<number from 0>``."""
    number = -1
    for path in reading.paths:
        for _first, _comments, rows in _sentences(path, with_comments=False):
            words, tags = [], []
            for line, cells in rows:
                if len(cells) != 2:
                    raise DataError(path, f"{len(cells)} columns", line=line, why="A line is a word, a tab and its tag")
                words.append(not_blank(cells[0], path, line, "word"))
                tags.append(reading.label(cells[1], path, line=line, at="tag"))
            number += 1
            yield TaggingExample(item=f"{reading.language}/{number}", words=tuple(words), tags=tuple(tags))


def _columns(
    reading: Reading, path: Path, rows: list[tuple[int, list[str]]], column: int
) -> tuple[list[str], list[str]]:
    """The words and tags of one sentence."""
    words, tags = [], []
    for line, cells in rows:
        if len(cells) != 10:
            raise DataError(path, f"{len(cells)} columns", line=line, why="CoNLL-U has 10, separated by tabs")
        if not cells[0].isdigit():
            if not re.fullmatch(r"\d+[-.]\d+", cells[0]):
                raise DataError(path, f'"{cells[0]}" is no word number', line=line, field="ID")
            continue
        words.append(not_blank(cells[1], path, line, "FORM"))
        tags.append(reading.label(cells[column], path, line=line, at="UPOS" if column == 3 else "XPOS"))
    return words, tags


def _sentences(
    path: Path, *, with_comments: bool = True
) -> Iterator[tuple[int, dict[str, str], list[tuple[int, list[str]]]]]:
    """Blocks between blank lines: first line, comments (``# key = value``), rows split at tabs.

    Without comments a ``#`` is a word like any other (WikiANN has it).
    """
    first, comments, rows = 1, dict[str, str](), list[tuple[int, list[str]]]()
    for line, text in numbered_lines(path):
        if not text.strip():
            if rows or comments:
                yield first, comments, rows
            first, comments, rows = line + 1, {}, []
        elif with_comments and text.startswith("#"):
            key, _, value = text[1:].partition("=")
            comments[key.strip()] = value.strip()
        else:
            rows.append((line, text.split("\t")))
    if rows or comments:
        yield first, comments, rows
