"""Rows of accuracy for whole examples, and the level that guessing reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from stilts.errors import InputError
from stilts.metrics.metric import FloatArray


def accuracy_rows(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> FloatArray:
    """Columns (correct, total) of each example, shape (examples, 2).

    InputError when the lengths differ or a gold label is None: a placeholder has no score.
    """
    check_pairs("accuracy", gold, predicted)
    right = np.fromiter((g == p for g, p in zip(gold, predicted, strict=True)), np.float64, len(gold))
    return np.column_stack([right, np.ones(len(gold))])


def majority_accuracy(gold: Sequence[Hashable]) -> float:
    """The score, 0..100, of always answering with the most frequent gold label; 0 for no labels."""
    counts = Counter(gold)
    return 100.0 * max(counts.values()) / len(gold) if counts else 0.0


def guess_accuracy(num_candidates: int) -> float:
    """The expected score, 0..100, of a guess among equally likely candidates (choices, or sentences to retrieve)."""
    return 100.0 / num_candidates if num_candidates else 0.0


def check_pairs(what: str, gold: Sequence[object], predicted: Sequence[object]) -> None:
    """Raises InputError unless every example has a gold value and exactly one prediction."""
    if len(gold) != len(predicted):
        raise InputError(
            what,
            f"{len(gold)} gold values but {len(predicted)} predictions",
            "Every example is scored exactly once",
            "Predict every example of the view in its order",
        )
    if any(value is None for value in gold):
        raise InputError(
            what,
            f"the gold value of example {[value is None for value in gold].index(True)} is None",
            "A placeholder is not a label, and a score against it would mean nothing",
            "Evaluate on a split whose labels are published",
        )
