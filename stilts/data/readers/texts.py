"""Texts of a data file: what a field must hold for a model to have something to read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from stilts.errors import DataError
from stilts.tasks.example import LONGEST_TEXT

# Categories of Unicode that show nothing: controls, formats (zero width), spaces and separators.
_HALF = re.compile("[\ud800-\udfff]")
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def is_visible(value: str) -> bool:
    """Whether the text has a character that can be seen: a zero-width space is as little to read as a blank."""
    return any("!" <= character <= "~" or unicodedata.category(character) not in _INVISIBLE for character in value)


def word_in(value: object, path: object, line: int | None, at: str) -> str:
    """A word of tagged text; DataError where there is none. One of invisible characters alone is a word all the same.

    Treebanks and web text have such words; a tokenizer makes nothing of them, and they are encoded as unknown.
    """
    if type(value) is str and value.isascii() and value.isprintable() and not value.isspace() and value:
        return value if len(value) <= LONGEST_TEXT else bounded(value, path, line, at)
    if not isinstance(value, str):
        raise DataError(path, f"a {type(value).__name__} where a word belongs", line=line, field=at)
    if not value.strip(" \t"):
        raise DataError(path, "the word is empty", line=line, field=at, next_step="Fill the field or take the row out")
    return _checked(value, path, line, at)


def words_in(values: Sequence[str], path: object, lines: Sequence[int], at: str) -> tuple[str, ...]:
    """As ``word_in`` of each value and its line: they are looked at together, and one by one where anything is odd."""
    whole = "".join(values)
    if all(map(str.strip, values)) and not has_half_characters(whole) and len(whole) <= LONGEST_TEXT:
        return tuple(values)
    return tuple(word_in(value, path, line, at) for value, line in zip(values, lines, strict=True))


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
    return not value.isascii() and _HALF.search(value) is not None


def not_blank(value: str, path: object, line: int | None, at: str) -> str:
    """The text as it is; raises DataError where nothing is in it, or more than ``LONGEST_TEXT``."""
    if not is_visible(value):
        raise DataError(
            path,
            "the text is empty" if not value.strip() else "the text has invisible characters only",
            line=line,
            field=at,
            why="A model has nothing to read there",
            next_step="Fill the field or take the row out",
        )
    return _checked(value, path, line, at)


def _checked(value: str, path: object, line: int | None, at: str) -> str:
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
