"""One value type per shape of example, as readers give them and encoders take them.

``item`` names the source item: all translations of one sentence, question or pair carry the same
``item``, so that resampling and hashing keep them together (DESIGN rules 6 and 9). It is unique within
one language of one split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from stilts.fingerprint import text_digest

# Characters of the longest text: four long novels. A tokenizer wants up to 300 bytes for each (measured).
LONGEST_TEXT = 2_000_000


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
    """Two texts that belong together: a sentence and its translation, or a question and the sentence that answers it.

    Of a translation ``query`` is English and ``candidate`` in the split's language. ``context`` is what a candidate is
    read with, where it is not read alone.
    """

    item: str
    query: str
    candidate: str
    context: str | None = None

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.query, self.candidate, *([] if self.context is None else [self.context]))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryExample:
    """A text that asks for candidates of a pool: those that have its ``key``."""

    item: str
    query: str
    key: str

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.query)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateExample:
    """A text of a pool, named by ``item``: the right answer to every query whose key is among its ``keys``.

    ``context`` is what it is read with, where it is not read alone.
    """

    item: str
    text: str
    context: str | None = None
    keys: tuple[str, ...] = ()

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.text, self.context or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningExample:
    """A sentence of one of two corpora, or sentences of both that translate one another.

    ``sources`` and ``targets`` are (id, text), ``pairs`` the ids of source and target of each translation. Sentences
    that are paired share an example, so that no part of a split holds half a pair.
    """

    item: str
    sources: tuple[tuple[str, str], ...]
    targets: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, str], ...] = ()

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(*(text for _, text in self.sources), "", *(text for _, text in self.targets))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextExample:
    """Running text for masked LM, with its translation where a pair is to be read together."""

    item: str
    text: str
    text_pair: str | None = None

    def content(self) -> str:
        """A digest of what a model would read."""
        return text_digest(self.text, self.text_pair or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionExample:
    """One text, or a pair of texts, with a number on the task's scale; ``value`` is None where the release has none."""

    item: str
    text: str
    text_pair: str | None = None
    value: float | None = None

    def content(self) -> str:
        """A digest of what a model would read, the value left out."""
        return text_digest(self.text, self.text_pair or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelExample:
    """A text with any number of labels; ``labels`` is None where the release has none, empty where none applies."""

    item: str
    text: str
    labels: tuple[str, ...] | None = None

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.text, "")


RetrievalExample: TypeAlias = PairExample | QueryExample | CandidateExample | MiningExample
Example: TypeAlias = (
    ClassificationExample
    | TaggingExample
    | SpanExample
    | ChoiceExample
    | RetrievalExample
    | TextExample
    | RegressionExample
    | MultiLabelExample
)
