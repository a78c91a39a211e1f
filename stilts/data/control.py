"""Controls: training examples whose labels say nothing of them, and examples of which only the text is left."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from stilts.fingerprint import text_digest
from stilts.tasks.example import Example, TextPairExample


def with_shuffled_labels(examples: Sequence[Example], seed: int) -> list[Example]:
    """The examples, each with another one's label, by ``seed``; InputError for a kind without labels.

    Labels go round among those examples to which they fit (``Example.label_slot``), in an order by hash: no example
    keeps its own, unless it is alone. How often each label occurs stays as it was.
    """
    groups: dict[Hashable, list[int]] = {}
    for place, example in enumerate(examples):
        groups.setdefault((example.is_labelled(), example.label_slot()), []).append(place)
    found = list(examples)
    for places in groups.values():
        order = sorted(places, key=lambda place: text_digest(str(seed), examples[place].item, str(place)))
        for place, other in zip(order, [*order[1:], order[0]], strict=True):
            found[place] = examples[place].with_label_of(examples[other])
    return found


def as_text(examples: Sequence[Example]) -> list[Example]:
    """The texts of the examples as running text for masked LM: the first, and what else there is behind it."""
    texts = ((example.item, *example.texts()) for example in examples)
    return [TextPairExample(item=item, text=first, text_pair=" ".join(more) or None) for item, first, *more in texts]
