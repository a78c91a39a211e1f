"""Readers of tagged words: CoNLL-U treebanks, WikiANN's two columns, CoNLL's columns, CCGbank's derivations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stilts.data.readers.reading import Reading, not_blank, numbered_lines
from stilts.errors import DataError, InputError
from stilts.tasks.kinds.tagging import TaggingExample

# Parallel Universal Dependencies: n (news) or w (Wikipedia), then document and sentence; the same in all its languages.
_PUD_ID = re.compile(r"[nw]\d{8}")
_COLUMNS = {"upos": (3, "UPOS"), "xpos": (4, "XPOS"), "feats": (5, "FEATS")}
# A leaf of a derivation: category, two parts of speech, the word, the category with its dependencies.
_CCG_LEAF = re.compile(r"\(<L (\S+) \S+ \S+ (\S+) \S+>\)")
NO_VALUE = "_"


def read_conllu(reading: Reading) -> Iterator[TaggingExample]:
    """Sentences of a treebank; option ``column`` is ``upos`` (default), ``xpos``, ``feats``, ``supertag``, or
    ``feats.<name>`` for one feature's value.

    A word without a feature has the tag ``_``. A supertag is UPOS, FEATS, DEPREL and the side on which the head stands
    (``left``, ``right``, ``root``), joined by ``/``.
    Ranges of multiword tokens (``3-4``) and empty nodes (``8.1``) are left out, as XTREME does: the syntactic words
    are tagged. Words may hold spaces (Vietnamese). The item is the sentence's id where it is PUD's, which
    all its translations share, else ``<language>/<id>``.
    """
    column = str(reading.options.get("column", "upos"))
    if column not in (*_COLUMNS, "supertag") and not column.startswith("feats."):
        known = "upos, xpos, feats, feats.<name>, supertag"
        raise InputError(f'reader "conllu", column "{column}"', "there is no such column", f"Known: {known}")
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


def read_bio_columns(reading: Reading) -> Iterator[TaggingExample]:
    """CoNLL's sentences: columns parted by spaces or tabs, first the word, last its tag (CoNLL-2003, MasakhaNER).

    Option ``columns`` is their number (2); ``scheme: iob1`` says that B- stands only where two names touch, as in the
    release of 2003: tags are rewritten so that every name begins with B-. Document marks (``-DOCSTART-``) are counted
    as left out. The item is ``<language>/<number from 0>``.
    """
    number, columns = -1, int(str(reading.options.get("columns", 2)))
    for path in reading.paths:
        for _first, _comments, rows in _sentences(path, with_comments=False):
            cells = [(line, re.split(r"[ \t]+", "\t".join(row).strip(" \t"))) for line, row in rows]
            if cells[0][1][0] == "-DOCSTART-":
                reading.skipped["document mark"] += 1
                cells = cells[1:]
            if not cells:
                continue
            for line, row in cells:
                if len(row) != columns:
                    raise DataError(path, f"{len(row)} columns", line=line, why=f"This release has {columns}")
            raw = [row[-1] for _, row in cells]
            tags = _begun(raw) if reading.options.get("scheme") == "iob1" else raw
            number += 1
            yield TaggingExample(
                item=f"{reading.language}/{number}",
                words=tuple(not_blank(row[0], path, line, "word") for line, row in cells),
                tags=tuple(
                    reading.label(tag, path, line=line, at="tag") for (line, _), tag in zip(cells, tags, strict=True)
                ),
            )


def read_ccg_auto(reading: Reading) -> Iterator[TaggingExample]:
    """CCGbank's derivations (AUTO files): a line ``ID=...``, then the derivation; words are tagged with their category.

    The item is the sentence's ID. Several files may be one behind another in one.
    """
    for path in reading.paths:
        identifier, line = "", 0
        for line, text in numbered_lines(path):
            if text.startswith("ID=") and not identifier:
                identifier = text[3:].split(" ")[0]
                continue
            leaves = _CCG_LEAF.findall(text)
            whole = len(leaves) == text.count("(<L") and text.count("(") == text.count(")")
            if not text.startswith("(<") or not leaves or not whole:
                raise DataError(path, "no derivation", line=line, why="A line ID=... comes before each, in brackets")
            if not identifier:
                raise DataError(path, "a derivation without its line ID=...", line=line)
            yield TaggingExample(
                item=identifier,
                words=tuple(not_blank(word, path, line, "word") for _, word in leaves),
                tags=tuple(reading.label(category, path, line=line, at="category") for category, _ in leaves),
            )
            identifier = ""
        if identifier:
            raise DataError(path, f"{identifier} has no derivation", line=line, why="The file may be cut short")


def _begun(tags: list[str]) -> list[str]:
    """IOB1 tags with a B- at the beginning of every name."""
    before = ["O", *tags[:-1]]
    return [
        f"B-{tag[2:]}" if tag.startswith("I-") and previous[1:] != tag[1:] else tag
        for previous, tag in zip(before, tags, strict=True)
    ]


def _columns(
    reading: Reading, path: Path, rows: list[tuple[int, list[str]]], column: str
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
        raw, at = _tag(cells, column, path, line)
        tags.append(reading.label(raw, path, line=line, at=at))
    return words, tags


def _tag(cells: list[str], column: str, path: Path, line: int) -> tuple[str, str]:
    """What a word is tagged with, and the name of the column that it comes from."""
    if column in _COLUMNS:
        index, name = _COLUMNS[column]
        if name == "FEATS":
            _features(cells[index], path, line)
        return cells[index], name
    if column != "supertag":
        return _features(cells[5], path, line).get(column.removeprefix("feats."), NO_VALUE), "FEATS"
    _features(cells[5], path, line)
    word, head = cells[0], cells[6]
    if not (word.isdecimal() and head.isdecimal() and len(head) < 10 and len(word) < 10):
        raise DataError(path, f'"{head}" is no word number', line=line, field="HEAD")
    side = "root" if int(head) == 0 else "left" if int(head) < int(word) else "right"
    return "/".join((cells[3], cells[5], cells[7], side)), "UPOS, FEATS, DEPREL, HEAD"


def _features(text: str, path: Path, line: int) -> dict[str, str]:
    """FEATS as a mapping; raises DataError for what is not ``Name=Value`` joined by ``|``."""
    if text == NO_VALUE:
        return {}
    parts = [part.split("=") for part in text.split("|")]
    if any(len(part) != 2 or not all(part) for part in parts):
        raise DataError(path, f'"{text[:60]}" is no list of features', line=line, field="FEATS", why="Name=Value|...")
    return dict(parts)


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
