"""What befalls a text between its words: blanks, marks, order. Each keeps what a label rests on.

*Punctuation* touches only marks that end or part sentences and clauses, never one between digits, within a word, a
question mark or a bracket. *Word order* moves a word by one place only, within a clause, never a number, a word that
denies (``negators.txt``) or its neighbours; words of one span move together. *Whitespace* never joins a word that
denies to another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from stilts.robustness.letters import denying
from stilts.robustness.lots import Lot
from stilts.robustness.segments import UNSPACED, is_letter, pieces, script_of, words
from stilts.tasks.passage import Passage, Piece

# A change of a text: what stands from start to end becomes another text.
Change: TypeAlias = tuple[int, int, str]
Places: TypeAlias = Callable[[str, str, Lot, bool], list[Change]]
_MARKS = {"Arab": "،؛.!۔", "Hani": "，、；：。！", "Kana": "、。！", "Deva": ",;:!।", "Ethi": "፣፤።"}
_ALL_MARKS = frozenset(",;:.!" + "".join(_MARKS.values()) + "…॥·՝։")


def altered(passage: Passage, language: str, draw: Lot, strength: float, places: Places) -> Passage:
    """The passage with a share of the changes that are possible in it."""
    found = [
        (at, change)
        for at, piece in enumerate(passage.pieces)
        if not piece.fixed
        for change in places(piece.text, language, draw.at(at), passage.are_words)
    ]
    chosen = draw.some_of(range(len(found)), strength)
    by_piece: dict[int, list[Change]] = {}
    for number in chosen:
        at, change = found[number]
        by_piece.setdefault(at, []).append(change)
    return passage.of([_changed(piece, by_piece.get(at, ())) for at, piece in enumerate(passage.pieces)])


def _changed(piece: Piece, changes: Sequence[Change]) -> Piece:
    text = piece.text
    for start, end, new in reversed(changes):
        text = text[:start] + new + text[end:]
    return piece.saying(text)


def blanks(text: str, language: str, draw: Lot, are_words: bool) -> list[Change]:
    """A blank within a word, or none between two words; in words that are tagged the first only."""
    found: list[Change] = []
    spans = words(text)
    for at, (start, end) in enumerate(spans):
        after = spans[at + 1] if at + 1 < len(spans) else None
        between = text[end : after[0]] if after else ""
        joins = after is not None and between == " " and draw.at(start).number % 2 == 0
        if after is not None and joins and not any(_denies(text, span, language) for span in spans[at : at + 2]):
            found.append((end, after[0], ""))
            continue
        parts = pieces(text[start:end])
        if len(parts) > 1:
            cut = start + len("".join(parts[: 1 + draw.at(start).number % (len(parts) - 1)]))
            found.append((cut, cut, " "))
    return found


def marks(text: str, language: str, draw: Lot, are_words: bool) -> list[Change]:
    """A mark that is dropped, doubled or another one; a comma behind a word that has no mark, where none denies.

    A tagged word of marks alone keeps one in the place of each.
    """
    found: list[Change] = []
    is_mark = are_words and all(char in _ALL_MARKS for char in text)
    for at, char in enumerate(text):
        if char not in _ALL_MARKS or _is_between(text, at):
            continue
        others = [mark for mark in _own_marks(text) if mark != char]
        new = draw.at(at).one_of([*others, char + char] if is_mark else ["", *others, char + char])
        found.append((at, at + 1, new))
    spans = words(text)
    for at, (_, end) in enumerate(spans):
        if text[end : end + 1] in ("", " ") and not any(_denies(text, span, language) for span in spans[at : at + 2]):
            found.append((end, end, _own_marks(text)[0]))
    return sorted(found)


def _own_marks(text: str) -> str:
    script = next((script for char in text if (script := script_of(char))), "")
    return _MARKS.get(script, ",;:.!")


def _is_between(text: str, at: int) -> bool:
    """Whether a mark stands within a word or a number (3.5, U.S., 10:30)."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return bool(before and after) and (before.isalnum() and after.isalnum()) and script_of(before) not in UNSPACED


def order(passage: Passage, language: str, draw: Lot, strength: float) -> Passage:
    """Words side by side that change places; words of a span move together, where words are tagged."""
    if not passage.are_words:
        return altered(passage, language, draw, strength, _swaps)
    units: list[list[Piece]] = []
    for piece in passage.pieces:
        if piece.follows and units:
            units[-1].append(piece)
        else:
            units.append([piece])
    texts = [" ".join(piece.text for piece in unit) for unit in units]
    deny = [_says_no(text, language) for text in texts]
    free = [text[:1] != "" and all(map(is_letter, text.replace(" ", ""))) for text in texts]
    able = [
        at
        for at in range(len(units) - 1)
        if free[at] and free[at + 1] and texts[at] != texts[at + 1] and not any(deny[max(0, at - 1) : at + 3])
    ]
    for at in _apart(able, draw, strength):
        units[at], units[at + 1] = units[at + 1], units[at]
    return passage.of([piece for unit in units for piece in unit])


def _swaps(text: str, language: str, draw: Lot, are_words: bool) -> list[Change]:
    """Two words with nothing but a blank between them, or in scripts without blanks nothing; each word at most once."""
    spans = words(text)
    deny = [_denies(text, span, language) for span in spans]
    able = [
        at
        for at in range(len(spans) - 1)
        if text[spans[at][1] : spans[at + 1][0]] in ("", " ") and not any(deny[max(0, at - 1) : at + 3])
    ]
    found: list[Change] = []
    for at in _apart(able, draw, 1.0):
        (start, middle), (after, end) = spans[at], spans[at + 1]
        if text[start:middle] != text[after:end]:
            found.append((start, end, text[after:end] + text[middle:after] + text[start:middle]))
    return found


def _apart(places: Sequence[int], draw: Lot, strength: float) -> list[int]:
    """A share of the places, of which no two are neighbours."""
    taken: set[int] = set()
    for at in sorted(places, key=lambda place: draw.at(place).number):
        if not taken & {at - 1, at + 1}:
            taken.add(at)
    return draw.some_of(sorted(taken), strength)


def _denies(text: str, span: tuple[int, int], language: str) -> bool:
    return _says_no(text[span[0] : span[1]], language)


def _says_no(words_in: str, language: str) -> bool:
    listed = denying(language)
    if any(script_of(char) in UNSPACED for char in words_in):
        return any(word in words_in for word in listed)
    return any(word.lower() in listed for word in words_in.split())
