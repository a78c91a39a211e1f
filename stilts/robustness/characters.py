"""What befalls the letters of one word: slips of the finger, of a scanner, of spelling. Digits stay as they are.

Each takes a word, the language and the word's draws, and gives the word again where it cannot happen to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TypeAlias

from stilts.robustness.letters import FINALS, INITIALS, VOWELS, Neighbours, keys_beside, looks_like
from stilts.robustness.lots import Lot
from stilts.robustness.segments import is_letter, pieces, script_of
from stilts.tasks.languages import LANGUAGES

Edit: TypeAlias = Callable[[str, str, Lot], str]
_SYLLABLES = 0xAC00, 0xD7A4
# Of four slips two hit a key beside; one doubles a letter, one misses it.
_SLIPS = ("beside", "beside", "double", "miss")


def keyboard(word: str, language: str, draw: Lot) -> str:
    """One slip: a key beside the one that was meant, a letter twice, or none where one was meant."""
    slip = draw.at("slip").one_of(_SLIPS)
    beside = _near(word, language, draw)
    found = pieces(word)
    if (slip == "beside" and beside != word) or (slip == "miss" and len(found) < 3):
        return beside if beside != word else _doubled(word, draw)
    return _doubled(word, draw) if slip != "miss" else _missed(word, draw)


def ocr(word: str, language: str, draw: Lot) -> str:
    """One letter, or run of letters, read as what looks like it; where nothing does, a mark or a letter is missed."""
    alike = looks_like("lookalikes")
    places = [
        (at, run)
        for at in range(len(word))
        for run in (word[at : at + 1], word[at : at + 2])
        if len(run) + at <= len(word) and _read_as(run, language)
    ]
    if places:
        at, run = draw.at("place").one_of(list(dict.fromkeys(places)))
        return word[:at] + draw.at("as").one_of(_read_as(run, language)) + word[at + len(run) :]
    syllables = _hangul(word, draw, alike)
    if syllables != word:
        return syllables
    bare = diacritics(word, language, draw)
    return bare if bare != word else _missed(word, draw)


def _read_as(run: str, language: str) -> tuple[str, ...]:
    """What a run of letters may be taken for; Han characters for kana, and the other way, in Japanese alone."""
    others = looks_like("lookalikes").get(run, ())
    return others if language == "ja" else tuple(o for o in others if script_of(o[0]) in ("", script_of(run[0])))


def swap(word: str, language: str, draw: Lot) -> str:
    """Two graphemes that stand side by side change places; the first stays where there are three."""
    found = pieces(word)
    first = 1 if len(found) > 2 else 0
    places = [at for at in range(first, len(found) - 1) if found[at] != found[at + 1] and _letters(found[at : at + 2])]
    if not places:
        return word
    at = draw.at("swap").one_of(places)
    found[at], found[at + 1] = found[at + 1], found[at]
    return "".join(found)


def diacritics(word: str, language: str, draw: Lot) -> str:
    """The word without the marks that stand on its letters; marks that are vowels (Indic scripts, Thai) stay."""
    parted = unicodedata.normalize("NFD", word)
    # What combines with any letter belongs to no script; Arabic and Hebrew have marks of their own.
    kept = "".join(c for c in parted if not (unicodedata.category(c) == "Mn" and script_of(c) in ("", "Arab", "Hebr")))
    return unicodedata.normalize("NFC", kept).translate(_BARE) if kept != parted else word.translate(_BARE)


# Letters with a stroke, which Unicode does not part.
_BARE = str.maketrans("đĐøØłŁıħĦŧŦ", "dDoOlLihHtT")


def homoglyphs(word: str, language: str, draw: Lot) -> str:
    """Half of its letters, at least one, as letters of another script that look the same."""
    alike = looks_like("homoglyphs")
    places = [at for at, char in enumerate(word) if char in alike]
    letters = list(word)
    for at in draw.at("letters").some_of(places, 0.5):
        letters[at] = draw.at(at).one_of(alike[letters[at]])
    return "".join(letters)


def casing(word: str, language: str, draw: Lot) -> str:
    """In capitals, or in small letters where it was in capitals; Turkish and Azerbaijani have two pairs of i."""
    dotted = language in ("tr", "az")
    upper = (word.replace("i", "İ") if dotted else word).upper()
    if upper != word and len(upper) == len(word):
        return upper
    return (word.replace("İ", "i").replace("I", "ı") if dotted else word).lower() if upper == word else word


def _near(word: str, language: str, draw: Lot) -> str:
    """The word with one letter as a key beside it has it."""
    known = LANGUAGES.get(language)
    keys = keys_beside(language, known.script if known else "")
    places = [at for at, char in enumerate(word) if _base(char) in keys]
    if not places:
        built = _hangul(word, draw, keys)
        return built if built != word else _same_row(word, draw)
    at = draw.at("key").one_of(places)
    hit = draw.at("hit").one_of(keys[_base(word[at])])
    return word[:at] + (hit.upper() if word[at].isupper() and len(hit.upper()) == 1 else hit) + word[at + 1 :]


def _base(char: str) -> str:
    """The key of a letter: that of its small form, without marks where the keyboard has it so."""
    small = char.lower()[0]
    first = unicodedata.normalize("NFD", small)[0]
    return first if script_of(small) in ("Latn", "Grek") and first != small else small


def _hangul(word: str, draw: Lot, beside: Neighbours) -> str:
    """The word with one letter of one Korean syllable as what is beside it."""
    options: list[str] = []
    for at, char in enumerate(word):
        if _SYLLABLES[0] <= ord(char) < _SYLLABLES[1]:
            rest, final = divmod(ord(char) - _SYLLABLES[0], len(FINALS))
            initial, vowel = divmod(rest, len(VOWELS))
            parts = [(INITIALS, initial), (VOWELS, vowel), (FINALS, final)]
            for which, (letters, number) in enumerate(parts):
                for other in beside.get(letters[number], ()):
                    if other in letters:
                        new = [index for _, index in parts]
                        new[which] = letters.index(other)
                        code = _SYLLABLES[0] + (new[0] * len(VOWELS) + new[1]) * len(FINALS) + new[2]
                        options.append(word[:at] + chr(code) + word[at + 1 :])
    return draw.at("syllable").one_of(options) if options else word


def _same_row(word: str, draw: Lot) -> str:
    """Of an Ethiopic word one syllable with another vowel: its block has a row of eight for each consonant."""
    places = [at for at, char in enumerate(word) if script_of(char) == "Ethi"]
    if not places:
        return word
    at = draw.at("row").one_of(places)
    row = ord(word[at]) // 8 * 8
    others = [
        chr(code) for code in range(row, row + 7) if chr(code) != word[at] and unicodedata.name(chr(code), "") != ""
    ]
    return word[:at] + draw.at("vowel").one_of(others) + word[at + 1 :] if others else word


def _doubled(word: str, draw: Lot) -> str:
    found = pieces(word)
    places = [at for at, piece in enumerate(found) if _letters([piece])]
    if not places:
        return word
    at = draw.at("double").one_of(places)
    return "".join([*found[: at + 1], *found[at:]])


def _missed(word: str, draw: Lot) -> str:
    """The word without one grapheme; one of fewer than two keeps what it has and doubles it."""
    found = pieces(word)
    places = [at for at, piece in enumerate(found) if _letters([piece])]
    if len(found) < 2 or not places:
        return _doubled(word, draw)
    at = draw.at("miss").one_of(places)
    return "".join([*found[:at], *found[at + 1 :]])


def _letters(found: list[str]) -> bool:
    return all(is_letter(char) for piece in found for char in piece)
