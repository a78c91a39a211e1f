"""One value type per shape of example, as readers give them and encoders take them.

``item`` names the source item: all translations of one sentence, question or pair carry the same
``item``, so that resampling and hashing keep them together (DESIGN rules 6 and 9). It is unique within
one language of one split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from stilts.fingerprint import text_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationExample:
    """One text, or a pair of texts, with a label; ``label`` is None where the release has none."""

    item: str
    text: str
    text_pair: str | None = None
    label: str | None = None

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.text, self.text_pair or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggingExample:
    """A sentence as words with one tag each; ``tags`` is None where the release has none."""

    item: str
    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(*self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanExample:
    """A question on a context; every answer is (text, start in characters of the context).

    ``answers`` empty means that the question has no answer in the context; None, that it is unlabelled.
    """

    item: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...] | None = None

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.question, self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceExample:
    """A premise (context, then question) and its possible continuations; ``label`` indexes ``choices``."""

    item: str
    context: str
    question: str
    choices: tuple[str, ...]
    label: int | None = None

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.context, self.question, *self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExample:
    """A sentence and its translation: ``query`` is English, ``candidate`` is in the split's language."""

    item: str
    query: str
    candidate: str

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.query, self.candidate)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextExample:
    """Running text for masked LM, with its translation where a pair is to be read together."""

    item: str
    text: str
    text_pair: str | None = None

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.text, self.text_pair or "")


Example: TypeAlias = ClassificationExample | TaggingExample | SpanExample | ChoiceExample | PairExample | TextExample
