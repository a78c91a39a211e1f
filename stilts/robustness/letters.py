"""Which letters lie beside one another on a keyboard, and which look alike: the data files of this room."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from stilts.robustness.segments import script_of
from stilts.tasks.listed import listed_in

Neighbours = Mapping[str, tuple[str, ...]]

# InScript puts corresponding letters of all these on the same keys; their blocks correspond to Devanagari's.
_INDIC = {"Beng": 0x80, "Guru": 0x100, "Gujr": 0x180, "Orya": 0x200, "Taml": 0x280, "Telu": 0x300, "Knda": 0x380,
          "Mlym": 0x400}  # fmt: skip
# The 19 initial consonants, 21 vowels and 27 final consonants of Hangul syllables in their order, as letters.
INITIALS, VOWELS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = "\0ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


@cache
def keys_beside(language: str, script: str) -> Neighbours:
    """By letter the letters of the keys around it: on the language's own layout, its script's, then all others."""
    found: dict[str, tuple[str, ...]] = {}
    layouts = _layouts()
    for name in dict.fromkeys((language, script, *layouts)):
        for letter, beside in layouts.get(name, {}).items():
            found.setdefault(letter, tuple(sorted(beside)))
    return found


@cache
def _layouts() -> Mapping[str, Mapping[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    for name, *rows in _lines("keyboards.txt"):
        own = found.setdefault(name.removeprefix("="), {})
        for one, other in _in_groups(rows) if name.startswith("=") else _adjacent(rows):
            own.setdefault(one, set()).add(other)
    for script, offset in _INDIC.items():
        found[script] = _moved(found["Deva"], offset)
    return found


def _adjacent(rows: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of letters whose keys touch: rows are staggered by half a key."""
    keys = {(r, c): letter for r, row in enumerate(rows) for c, letter in enumerate(row) if letter != "_"}
    for (r, c), letter in keys.items():
        for place in ((r, c - 1), (r, c + 1), (r - 1, c), (r - 1, c + 1), (r + 1, c), (r + 1, c - 1)):
            if place in keys and _class(keys[place]) == _class(letter):
                yield letter, keys[place]


def _moved(layout: Mapping[str, set[str]], offset: int) -> dict[str, set[str]]:
    """Devanagari's layout in a block that corresponds to its, letters that this has not left out."""

    def there(letter: str) -> str:
        return chr(ord(letter) + offset) if unicodedata.name(chr(ord(letter) + offset), "") else ""

    pairs = {there(one): {there(other) for other in beside} - {""} for one, beside in layout.items()}
    return {one: beside for one, beside in pairs.items() if one and beside}


def _class(letter: str) -> str:
    """A mark takes the place of marks only, a letter that of letters."""
    return unicodedata.category(letter)[0]


@cache
def looks_like(name: str) -> Neighbours:
    """By letter, or run of letters, what it may be taken for: ``lookalikes`` or ``homoglyphs``."""
    found: dict[str, dict[str, None]] = {}
    for line in _lines(f"{name}.txt"):
        for one, other in _in_groups(line[1:] if name == "lookalikes" else line):
            if name == "homoglyphs" or _is_kept(one, other):
                found.setdefault(one, {})[other] = None
    return {one: tuple(others) for one, others in found.items()}


def _is_kept(one: str, other: str) -> bool:
    """Whether the second is written in the first's script; a digit belongs to none, and Japanese mixes two."""
    scripts = {script_of(char) for char in one + other} - {""}
    return one[0] not in "0123456789" and (len(scripts) == 1 or scripts == {"Kana", "Hani"})


def _in_groups(groups: list[str]) -> Iterator[tuple[str, str]]:
    for group in groups:
        members = group.split(":") if ":" in group else list(group)
        yield from ((one, other) for one in members for other in members if one != other)


@cache
def denying(language: str) -> frozenset[str]:
    """The words of a language that deny; empty where none are listed."""
    return frozenset(word for name, *words in _lines("negators.txt") if name == language for word in words)


def _lines(name: str) -> list[list[str]]:
    return [line.split() for line in listed_in(Path(__file__).with_name(name))]
