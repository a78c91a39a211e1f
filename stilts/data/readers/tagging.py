"""Readers of tagged words: CoNLL-U treebanks and CCGbank's derivations; CoNLL's columns are in ``columns.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stilts.data.readers.lemma_scripts import ending, lemma_script
from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import numbered_lines
from stilts.data.readers.texts import word_in, words_in
from stilts.errors import DataError, InputError
from stilts.tasks.kinds.tagging import TaggingExample

# Parallel Universal Dependencies: n (news) or w (Wikipedia), then document and sentence; the same in all its languages.
_PUD_ID = re.compile(r"[nw]\d{8}")
_PLAIN = {"upos": (3, "UPOS"), "xpos": (4, "XPOS")}
_OF_LEMMA = {"lemma_script": lemma_script, "ending": ending}
# A leaf of a derivation: category, two parts of speech, the word, the category with its dependencies.
_CCG_LEAF = re.compile(r"\(<L (\S+) \S+ \S+ (\S+) \S+>\)")
NO_VALUE = "_"


def read_conllu(reading: Reading) -> Iterator[TaggingExample]:
    """Sentences of a treebank; option ``column`` is ``upos`` (default), ``xpos``, ``feats``, ``supertag``,
    ``feats.<name>`` for one feature's value, ``lemma_script`` or ``ending`` (``lemma_scripts.py``).

    A word without a feature has the tag ``_``. A supertag is UPOS, FEATS, DEPREL and the side on which the head stands
    (``left``, ``right``, ``root``), joined by ``/``.
    Ranges of multiword tokens (``3-4``) and empty nodes (``8.1``) are left out, as XTREME does: the syntactic words
    are tagged. Words may hold spaces (Vietnamese). The item is the sentence's id where it is PUD's, which
    all its translations share, else ``<language>/<id>``.
    """
    column = str(reading.options.get("column", "upos"))
    if column not in (*_PLAIN, *_OF_LEMMA, "feats", "supertag") and not column.startswith("feats."):
        known = "upos, xpos, feats, feats.<name>, supertag, lemma_script, ending"
        raise InputError(f'reader "conllu", column "{column}"', "there is no such column", f"Known: {known}")
    for path in reading.paths:
        for number, (first, comments, rows) in enumerate(_sentences(path)):
            words, tags = _words_and_tags(reading, path, rows, column)
            if not words:
                raise DataError(path, "a sentence without words", line=first)
            _refuse_hidden(words, path, first)
            identifier = comments.get("sent_id", f"row{number}")
            item = identifier if _PUD_ID.fullmatch(identifier) else f"{reading.language}/{identifier}"
            yield TaggingExample(item=item, words=words, tags=tuple(tags))


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
                words=tuple(word_in(word, path, line, "word") for _, word in leaves),
                tags=tuple(reading.label(category, path, line=line, at="category") for category, _ in leaves),
            )
            identifier = ""
        if identifier:
            raise DataError(path, f"{identifier} has no derivation", line=line, why="The file may be cut short")


def _refuse_hidden(words: tuple[str, ...], path: Path, line: int) -> None:
    """Raises DataError where a sentence's words are all ``_``: some treebanks may not hand out the text they tag."""
    if len(words) > 1 and set(words) == {NO_VALUE}:
        raise DataError(
            path,
            "every word is _: the text is hidden in this release",
            line=line,
            field="FORM",
            why="Its licence keeps the words back; a model would learn and be scored on underscores",
            next_step="Merge the text in with the script that the treebank gives, or leave the language out",
        )


def _words_and_tags(
    reading: Reading, path: Path, rows: list[tuple[int, list[str]]], column: str
) -> tuple[tuple[str, ...], list[str]]:
    """The words and tags of one sentence."""
    rows = [(line, cells) for line, cells in rows if _is_word(cells, path, line)]
    lines = [line for line, _ in rows]
    words = words_in([cells[1] for _, cells in rows], path, lines, "FORM")
    if column in _PLAIN:
        index, at = _PLAIN[column]
        raws = [cells[index] for _, cells in rows]
    else:
        at = "UPOS, FEATS, DEPREL, HEAD" if column == "supertag" else "LEMMA" if column in _OF_LEMMA else "FEATS"
        raws = [_tag(cells, column, path, line) for line, cells in rows]
    return words, reading.labels_of(raws, path, lines, at)


def _is_word(cells: list[str], path: Path, line: int) -> bool:
    """Whether a row is a word: not the range of a multiword token, and no empty node. DataError for what is none."""
    if len(cells) != 10:
        raise DataError(path, f"{len(cells)} columns", line=line, why="CoNLL-U has 10, separated by tabs")
    if cells[0].isdigit():
        return True
    if not re.fullmatch(r"\d+[-.]\d+", cells[0]):
        raise DataError(path, f'"{cells[0]}" is no word number', line=line, field="ID")
    return False


def _tag(cells: list[str], column: str, path: Path, line: int) -> str:
    """What a word is tagged with, where that is more than a column as it stands."""
    if column in _OF_LEMMA:
        return _OF_LEMMA[column](cells[1], cells[2])
    if column != "supertag":
        features = _features(cells[5], path, line)
        return cells[5] if column == "feats" else features.get(column.removeprefix("feats."), NO_VALUE)
    _features(cells[5], path, line)
    word, head = cells[0], cells[6]
    if not (word.isdecimal() and head.isdecimal() and len(head) < 10 and len(word) < 10):
        raise DataError(path, f'"{head}" is no word number', line=line, field="HEAD")
    side = "root" if int(head) == 0 else "left" if int(head) < int(word) else "right"
    return "/".join((cells[3], cells[5], cells[7], side))


def _features(text: str, path: Path, line: int) -> dict[str, str]:
    """FEATS as a mapping; raises DataError for what is not ``Name=Value`` joined by ``|``."""
    if text == NO_VALUE:
        return {}
    parts = [part.split("=") for part in text.split("|")]
    if any(len(part) != 2 or not all(part) for part in parts):
        raise DataError(path, f'"{text[:60]}" is no list of features', line=line, field="FEATS", why="Name=Value|...")
    return dict(parts)


def _sentences(path: Path) -> Iterator[tuple[int, dict[str, str], list[tuple[int, list[str]]]]]:
    """Blocks between blank lines: first line, comments (``# key = value``), rows split at tabs."""
    first, comments, rows = 1, dict[str, str](), list[tuple[int, list[str]]]()
    for line, text in numbered_lines(path):
        if not text.strip():
            if rows or comments:
                yield first, comments, rows
            first, comments, rows = line + 1, {}, []
        elif text.startswith("#"):
            key, _, value = text[1:].partition("=")
            comments[key.strip()] = value.strip()
        else:
            rows.append((line, text.split("\t")))
    if rows or comments:
        yield first, comments, rows
