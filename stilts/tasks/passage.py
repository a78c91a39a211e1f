"""Passage: a text of an example as pieces that may be altered, and what must hold while they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a passage. ``origin`` is its place before anything was altered, -1 for what was added.

    The text of a ``fixed`` one stays (an answer); one that ``follows`` keeps its place behind the one before it (a word
    within a name). ``text`` is never empty where pieces are words.
    """

    text: str
    origin: int
    fixed: bool = False
    follows: bool = False

    def saying(self, text: str) -> Piece:
        """The same piece with another text."""
        return self if text == self.text else replace(self, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Pieces that are one text one behind the other; with ``are_words``, words that are tagged one by one.

    ``may_grow``: a sentence may be added to it.
    """

    pieces: tuple[Piece, ...]
    are_words: bool = False
    may_grow: bool = False

    @property
    def text(self) -> str:
        """What it says."""
        return (" " if self.are_words else "").join(piece.text for piece in self.pieces)

    def of(self, pieces: Sequence[Piece]) -> Passage:
        """The passage with other pieces."""
        return replace(self, pieces=tuple(pieces))


def whole(text: str) -> Passage:
    """A text that may be altered anywhere."""
    return Passage(pieces=(Piece(text=text, origin=0),))


def around(text: str, kept: Sequence[tuple[int, int]]) -> Passage:
    """A text to which sentences may be added, and whose characters from start to end stay, for each such pair.

    Pairs may overlap: then they are kept as one.
    """
    spans: list[tuple[int, int]] = []
    for start, end in sorted(kept):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    pieces: list[Piece] = []
    at = 0
    for start, end in [*spans, (len(text), len(text))]:
        for one, fixed in ((text[at:start], False), (text[start:end], True)):
            if one:
                pieces.append(Piece(text=one, origin=len(pieces), fixed=fixed))
        at = end
    return Passage(pieces=tuple(pieces), may_grow=True)


def moved(before: Passage, after: Passage, start: int) -> int:
    """Where the character that stood at ``start`` in a fixed piece stands now."""
    at = 0
    for piece in before.pieces:
        if at <= start < at + len(piece.text):
            break
        at += len(piece.text)
    now = 0
    for other in after.pieces:
        if other.origin == piece.origin:
            return now + start - at
        now += len(other.text)
    raise AssertionError("a fixed piece is never dropped")
