"""Distractor sentences: what of other paragraphs is most like a question, and does not answer it.

After AddSent (Jia and Liang 2017, arXiv 1707.07328), whose sentence is made of the question by rules and people. Here
it is a sentence of another paragraph of the same data, so no model and no people are needed, and it works in every
language; it is a milder attack, for it fits the question less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from stilts.robustness.lots import Lot
from stilts.robustness.segments import UNSPACED, script_of, words
from stilts.tasks.example import Example
from stilts.tasks.passage import Passage, Piece

_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।۔؟።])\s*")
# Sentences that say something and still fit a window beside the paragraph, in characters.
_SHORTEST, _LONGEST = 20, 300
# How many sentences strength 1 adds.
MOST = 5


class Distractors:
    """The sentences of all paragraphs of some examples, found again by what they share with a question."""

    def __init__(self, examples: Sequence[Example]) -> None:
        paragraphs = {p.text: None for example in examples for p in example.passages() if p.may_grow}
        found = {(text, sentence): None for text in paragraphs for sentence in _sentences(text)}
        self._sentences = tuple(found)
        self._holding: dict[str, list[int]] = {}
        for number, (_, sentence) in enumerate(self._sentences):
            for term in set(_terms(sentence)):
                self._holding.setdefault(term, []).append(number)

    def ranked(self, question: str, paragraph: Passage, draw: Lot, most: int) -> list[str]:
        """At most so many sentences of other paragraphs that hold no answer, those first that share rare words.

        Words count by their inverse document frequency; a sentence that shares none is none.
        """
        scores: dict[int, float] = {}
        for term in set(_terms(question)):
            holding = self._holding.get(term, ())
            for number in holding:
                scores[number] = scores.get(number, 0.0) + math.log(len(self._sentences) / len(holding))
        answers = [piece.text.lower() for piece in paragraph.pieces if piece.fixed]
        found: list[str] = []
        for number in sorted(scores, key=lambda number: (-scores[number], draw.at(number).number)):
            text, sentence = self._sentences[number]
            if text == paragraph.text or sentence in paragraph.text or sentence in found:
                continue
            if not any(answer in sentence.lower() for answer in answers):
                found.append(sentence)
            if len(found) == most:
                break
        return found


def with_sentence(paragraph: Passage, sentence: str, draw: Lot) -> Passage:
    """The paragraph with a sentence before it or behind it."""
    if draw.at("place").number % 2:
        return paragraph.of([Piece(text=f"{sentence} ", origin=-1), *paragraph.pieces])
    return paragraph.of([*paragraph.pieces, Piece(text=f" {sentence}", origin=-1)])


def distracted(passages: Sequence[Passage], source: Distractors, draw: Lot, strength: float) -> list[Passage]:
    """The passages, to the paragraphs among them up to five sentences added that are like the question before them."""
    found: list[Passage] = []
    for number, passage in enumerate(passages):
        if passage.may_grow and strength > 0:
            own = draw.at(number)
            most = max(1, round(strength * MOST))
            for sentence in source.ranked(passages[number - 1].text, passages[number], own, most):
                passage = with_sentence(passage, sentence, own.at(sentence))
        found.append(passage)
    return found


def _sentences(text: str) -> Iterator[str]:
    for sentence in _ENDS.split(text):
        if _SHORTEST <= len(sentence.strip()) <= _LONGEST:
            yield sentence.strip()


def _terms(text: str) -> Iterator[str]:
    """Words in small letters; of scripts without blanks every two characters that touch."""
    for start, end in words(text):
        if script_of(text[start]) in UNSPACED:
            yield from (text[at : at + 2] for at in range(start, end) if at + 2 <= len(text))
        else:
            yield text[start:end].lower()
