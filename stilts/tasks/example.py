"""Example: what every example can say of itself, whatever its kind; each kind's own lie in ``stilts/tasks/kinds/``.

``item`` names the source item: all translations of one sentence, question or pair carry the same ``item``, so that
resampling and hashing keep them together (DESIGN rules 6 and 9). It is unique within one language of one split.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeAlias

from stilts.errors import InputError
from stilts.fingerprint import text_digest
from stilts.tasks.passage import Passage, whole

# Characters of the longest text: four long novels. A tokenizer wants up to 300 bytes for each (measured).
LONGEST_TEXT = 2_000_000


class Field(StrEnum):
    """What of an example is compared with others: like with like only.

    ``TEXT`` is a sentence or a paragraph, whatever its part in the example (premise, hypothesis, context, translation);
    ``SENTENCE`` a piece of one between the marks that end sentences, so that a sentence is found in a paragraph;
    ``PAIR`` two texts that are read together, in either order; ``QUESTION`` a question, with its context where it
    means nothing without, and any text that ends as one.
    """

    TEXT = "text"
    SENTENCE = "sentence"
    QUESTION = "question"
    PAIR = "pair"


Compared: TypeAlias = tuple[Field, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(ABC):
    """One example; a kind's own class adds its fields, and says what follows here where the default is not true."""

    item: str

    # The field that holds what is to be learned; None in it where the release has none. "": the kind has no labels.
    label_field: ClassVar[str] = ""

    @abstractmethod
    def content(self) -> str:
        """A digest of what a model would read, labels left out."""

    @abstractmethod
    def texts(self) -> tuple[str, ...]:
        """What a model reads, text by text."""

    def own_texts(self) -> tuple[str, ...]:
        """The texts that are in the language of its split."""
        return self.texts()

    def annotated_words(self) -> tuple[str, ...] | None:
        """Its words, where the data say what a word is."""
        return None

    def paragraph(self) -> str | None:
        """The text that it asks about, where others ask about the same."""
        return None

    def passages(self) -> tuple[Passage, ...]:
        """Its own texts that may be altered while its label holds; none where what it says is what is asked for."""
        return ()

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """The same with its passages altered, its label and what it says of places in them still true."""
        return self

    def compared(self) -> Iterator[Compared]:
        """What of it may stand in other data too."""
        texts = self.texts()
        yield from ((Field.TEXT, (text,)) for text in texts)
        if len(texts) == 2:
            yield Field.PAIR, texts

    def is_labelled(self) -> bool:
        """Whether a metric can score a prediction on it; True for kinds that need no label."""
        return not self.label_field or getattr(self, self.label_field) is not None

    def with_any_label(self, labels: Sequence[str]) -> Self:
        """The same with some label of the task's, for a model to be asked; what it says is not scored."""
        return replace(self, **{self.label_field: labels[0]}) if self.label_field else self

    def without_label(self) -> Self:
        """The same, its label kept back."""
        kept_back: dict[str, Any] = {self.label_field: None} if self.label_field else {}
        return replace(self, **kept_back)

    def label_slot(self) -> Hashable:
        """What its label must fit: labels of examples with equal slots can be exchanged."""
        return ()

    def with_label_of(self, other: Self) -> Self:
        """The same with the label of another one, whose slot is equal; InputError for kinds without labels."""
        if not self.label_field:
            raise InputError(
                f"labels of {type(self).__name__}",
                "it has none",
                "There is nothing to shuffle",
                "Leave the control out",
            )
        return replace(self, **{self.label_field: getattr(other, self.label_field)})

    def truth(self, place: int) -> str | None:
        """The right answer as the text that an evaluation keeps, in a prediction's form, of the example at ``place``.

        ``place`` counts its view's examples from 0. None where it has none, or where only the evaluation knows it.
        """
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPairExample(Example):
    """One text, or a pair of texts that are read together."""

    text: str
    text_pair: str | None = None

    def content(self) -> str:
        """A digest of what a model would read, labels left out."""
        return text_digest(self.text, self.text_pair or "")

    def texts(self) -> tuple[str, ...]:
        """The text, or both."""
        return one_or_two(self.text, self.text_pair)

    def passages(self) -> tuple[Passage, ...]:
        """Each of the texts."""
        return tuple(map(whole, self.texts()))

    def with_passages(self, passages: Sequence[Passage]) -> Self:
        """See ``Example``."""
        first, *second = (passage.text for passage in passages)
        return replace(self, text=first, text_pair=second[0] if second else self.text_pair)


def one_or_two(text: str, text_pair: str | None) -> tuple[str, ...]:
    """The texts of an example that may have a second one."""
    return (text, text_pair) if text_pair else (text,)
