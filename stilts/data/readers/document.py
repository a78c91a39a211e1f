"""One JSON document per file: access to its fields with errors that name the field's path and line."""

from __future__ import annotations

import json
import re
from pathlib import Path

from stilts.bounded_json import parsed_json
from stilts.data.readers.rows import whole_text
from stilts.data.readers.texts import bounded, has_half_characters, not_blank
from stilts.errors import DataError
from stilts.tasks.example import LONGEST_TEXT

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_SPACE = re.compile(r"[\s,]*")


class Document:
    """A file's JSON; fields are named by paths such as ``data[0].paragraphs[2].context``.

    Raises DataError at once for a file that is no JSON, and from every method for a field that is not what is asked.
    """

    def __init__(self, path: Path, holds: str) -> None:
        self.path = path
        self.holds = holds
        self._text = whole_text(path)
        self.root: object = parsed_json(self._text, path, why="The whole file is one JSON document")

    def error(self, found: str, at: str, why: str = "") -> DataError:
        """The error of one field, with the line that it stands on."""
        step = "Mend the file or take the question out"
        return DataError(self.path, found, line=self.line(at), field=at, why=why, next_step=step)

    def list_in(self, value: object, key: str, at: str) -> list[object]:
        """The list under ``key``."""
        found = self._get(value, key, at)
        if not isinstance(found, list):
            raise self.error(f"a {type(found).__name__} where a list belongs", joined(at, key))
        return found

    def object_in(self, value: object, key: str, at: str) -> dict[str, object]:
        """The object under ``key``."""
        found = self._get(value, key, at)
        if not isinstance(found, dict):
            raise self.error(f"a {type(found).__name__} where an object belongs", joined(at, key))
        return found

    def text_in(self, value: object, key: str, at: str) -> str:
        """The text under ``key``, which must not be blank."""
        return self.text(self._get(value, key, at), joined(at, key))

    def text(self, value: object, at: str) -> str:
        """The value as text, which must not be blank."""
        if not isinstance(value, str):
            raise self.error(f"a {type(value).__name__} where text belongs", at)
        if not value.strip() or has_half_characters(value):
            not_blank(value, self.path, self.line(at), at)
        if len(value) > LONGEST_TEXT:
            bounded(value, self.path, self.line(at), at)
        return value

    def line(self, at: str) -> int:
        """The line on which a field stands."""
        return line_of(self._text, at)

    def _get(self, value: object, key: str, at: str) -> object:
        if not isinstance(value, dict) or key not in value:
            raise self.error("the field is missing", joined(at, key), f"{self.holds} has it")
        return value[key]


class DocumentLine(Document):
    """One line of a file of JSON lines, read as a document is: all its fields stand on that line."""

    def __init__(self, path: Path, holds: str, line: int, row: dict[str, object]) -> None:
        self.path = path
        self.holds = holds
        self.root = row
        self._line = line

    def line(self, at: str) -> int:
        """The line of the row."""
        return self._line


def joined(at: str, key: str) -> str:
    """The path of the field ``key`` below ``at``."""
    return f"{at}.{key}" if at else key


def line_of(text: str, at: str) -> int:
    """The line, from 1, on which the value at a path begins; where it is missing, that of what should hold it.

    The text is valid JSON. A key that holds a dot or a bracket is not found, and its holder's line given.
    """
    place = _after_space(text, 0)
    for index, key in _STEP.findall(at):
        found = _member(text, place, key) if key else _element(text, place, int(index))
        if found is None:
            break
        place = found
    return text.count("\n", 0, place) + 1


def _member(text: str, place: int, key: str) -> int | None:
    if text[place : place + 1] != "{":
        return None
    decoder, place = json.JSONDecoder(), _after_space(text, place + 1)
    while text[place] != "}":
        name, place = decoder.raw_decode(text, place)
        place = _after_space(text, _after_space(text, place) + 1)
        if name == key:
            return place
        place = _after_space(text, decoder.raw_decode(text, place)[1])
    return None


def _element(text: str, place: int, index: int) -> int | None:
    if text[place : place + 1] != "[":
        return None
    decoder, place = json.JSONDecoder(), _after_space(text, place + 1)
    for _ in range(index):
        if text[place] == "]":
            return None
        place = _after_space(text, decoder.raw_decode(text, place)[1])
    return place


def _after_space(text: str, place: int) -> int:
    """The first place from here that holds neither space nor comma."""
    match = _SPACE.match(text, place)
    return place if match is None else match.end()
