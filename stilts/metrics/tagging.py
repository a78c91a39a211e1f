"""Rows of word accuracy for tagging."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.errors import InputError
from stilts.metrics.classification import check_pairs
from stilts.metrics.metric import FloatArray


def tag_rows(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> FloatArray:
    """Columns (correct, total) over the words of each sentence, shape (sentences, 2).

    InputError when a sentence is unlabelled or does not have one predicted tag per word.
    """
    check_sentences("tagging accuracy", gold, predicted)
    rows = [(sum(g == p for g, p in zip(gs, ps, strict=True)), len(gs)) for gs, ps in zip(gold, predicted, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 2)


def check_sentences(what: str, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Raises InputError unless every word of every sentence has a gold and a predicted tag."""
    check_pairs(what, gold, predicted)
    for number, (gold_tags, tags) in enumerate(zip(gold, predicted, strict=True)):
        if len(gold_tags) != len(tags):
            raise InputError(
                what,
                f"sentence {number} has {len(gold_tags)} words but {len(tags)} predicted tags",
                "A dropped word would be left out of the score",
                "Predict one tag for every word, also of sentences longer than the limit",
            )
