"""Where the words of a text begin and end, and which characters stand together; whatever the script."""

from __future__ import annotations

import bisect
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# First code point of each block that matters here, with its script; "" for what belongs to none.
_BLOCKS = tuple(
    (int(start, 16), name.strip("-"))
    for start, name in (
        pair.split(":")
        for pair in (
            "0:- 41:Latn 5b:- 61:Latn 7b:- c0:Latn 250:- 300:- 370:Grek 400:Cyrl 530:Armn 590:Hebr 600:Arab 700:- "
            "750:Arab 780:- 8a0:Arab 900:Deva 980:Beng a00:Guru a80:Gujr b00:Orya b80:Taml c00:Telu c80:Knda d00:Mlym "
            "d80:Sinh e00:Thai e80:Laoo f00:- 1000:Mymr 10a0:Geor 1100:Hang 1200:Ethi 13a0:- 1780:Khmr 1800:- "
            "1c80:Cyrl 1c90:Geor 1cc0:- 1e00:Latn 1f00:Grek 2000:- 2d80:Ethi 2de0:- 3041:Kana 3099:- 309d:Kana 3100:- "
            "3131:Hang 3190:- 31f0:Kana 3200:- 3400:Hani 4dc0:- 4e00:Hani a000:- a8e0:Deva a900:- ac00:Hang d7b0:- "
            "f900:Hani fb00:Latn fb13:Armn fb1d:Hebr fb50:Arab fe00:- fe70:Arab ff00:- ff21:Latn ff3b:- ff41:Latn "
            "ff5b:- ff66:Kana ffa0:- 20000:Hani 30000:-"
        ).split()
    )
)
_STARTS = [start for start, _ in _BLOCKS]
# Scripts that write no blanks between words: how many graphemes stand for a word there. Most words of Chinese have two
# characters; Thai and its like write a syllable in two graphemes or three, and words of one or two syllables.
UNSPACED = {"Hani": 2, "Kana": 3, "Thai": 4, "Laoo": 4, "Khmr": 3, "Mymr": 3}
_JOINERS = "\u200c\u200d"
_INSIDE = "'\u2019-"  # within a word where letters stand on both sides
_BEFORE = range(0x0E40, 0x0E45), range(0x0EC0, 0x0EC5)  # Thai and Lao vowels that are written before their consonant


@lru_cache(maxsize=65_536)
def script_of(char: str) -> str:
    """The ISO 15924 code of a letter's script (Kana for both syllabaries); "" for what belongs to none."""
    return _BLOCKS[bisect.bisect_right(_STARTS, ord(char)) - 1][1]


@lru_cache(maxsize=65_536)
def is_letter(char: str) -> bool:
    """Whether it is part of a word: a letter, a mark, or what joins two."""
    return unicodedata.category(char)[0] in "LM" or char in _JOINERS


def words(text: str) -> list[tuple[int, int]]:
    """Start and end of every word: a run of letters, or in scripts without blanks a few graphemes of one."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and (is_letter(text[end]) or _is_inside(text, at, end)):
            end += 1
        if end > at:
            found += _cut(text, at, end)
        at = max(end, at + 1)
    return found


def _is_inside(text: str, start: int, at: int) -> bool:
    return text[at] in _INSIDE and start < at < len(text) - 1 and is_letter(text[at - 1]) and is_letter(text[at + 1])


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of letters as words."""
    if not any(script_of(char) in UNSPACED for char in text[start:end]):
        yield start, end
        return
    begun, script, held = start, "", 0
    for first, last in graphemes(text[start:end]):
        own = script_of(text[start + first]) or script
        if held and (own != script or held >= UNSPACED.get(script, end)):
            yield begun, start + first
            begun, held = start + first, 0
        script, held = own, held + 1
        if start + last == end:
            yield begun, end


def graphemes(text: str) -> list[tuple[int, int]]:
    """Start and end of every grapheme: a letter with its marks; conjuncts of Indic scripts stay whole."""
    found: list[tuple[int, int]] = []
    for at, char in enumerate(text):
        marks = unicodedata.category(char)[0] == "M" or char in _JOINERS
        before = text[at - 1] if at else ""
        joined = bool(before) and (unicodedata.combining(before) == 9 or any(ord(before) in some for some in _BEFORE))
        if found and (marks or joined):
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found


def pieces(text: str) -> list[str]:
    """The graphemes of a text."""
    return [text[start:end] for start, end in graphemes(text)]
