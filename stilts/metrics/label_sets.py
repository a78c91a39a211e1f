"""Rows of sets of labels: R-precision of their ranking, and what micro F1 counts.

A prediction is its labels, best first, of which the first ``num_chosen`` were predicted; the others say how the ranking
goes on. As text they have one space between them and a bar behind the last that was predicted: ``a c | b``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from stilts.errors import InputError
from stilts.metrics.classification import check_pairs
from stilts.metrics.metric import FloatArray

BAR = "|"


def label_set_rows(
    gold: Sequence[Sequence[str]], ranked: Sequence[Sequence[str]], num_chosen: Sequence[int]
) -> FloatArray:
    """Columns (r_precision, total, tp, predicted, gold) of each example, shape (examples, 5).

    R-precision, 0..1, is the share of right labels among the first R, R being the number of gold labels; an example
    without any has none, and its ``total`` is 0 (Chalkidis et al. 2021 leave it out). The other columns count labels.
    InputError when the lengths differ, an example is unlabelled, or a ranking is shorter than R.
    """
    check_pairs("R-precision", gold, ranked)
    rows = []
    for number, (labels, ranking, chosen) in enumerate(zip(gold, ranked, num_chosen, strict=True)):
        wanted = frozenset(labels)
        if len(ranking) < len(wanted):
            raise InputError(
                "R-precision",
                f"example {number} has {len(wanted)} gold labels, and {len(ranking)} are ranked",
                "The first R of the ranking are looked at, R being the number of gold labels",
                "Rank at least as many labels",
            )
        found = len(wanted.intersection(ranking[: len(wanted)])) / len(wanted) if wanted else 0.0
        taken = wanted.intersection(ranking[:chosen])
        rows.append((found, float(bool(wanted)), len(taken), chosen, len(wanted)))
    return np.array(rows, np.float64).reshape(-1, 5)


def most_frequent_first(gold: Sequence[Sequence[str]]) -> float:
    """The mean R-precision, 0..100, of always ranking labels by how often they are gold; 0 for no labels."""
    counts = Counter(label for labels in gold for label in labels)
    ranking = [label for label, _ in counts.most_common()]
    rows = label_set_rows(gold, [ranking] * len(gold), [0] * len(gold))
    total = rows[:, 1].sum()
    return float(100.0 * rows[:, 0].sum() / total) if total else 0.0


def ranking_text(ranked: Sequence[str], num_chosen: int) -> str:
    """The prediction as one text."""
    return " ".join((*ranked[:num_chosen], BAR, *ranked[num_chosen:]))


def ranking_in(text: str) -> tuple[tuple[str, ...], int]:
    """The labels, best first, and how many of them were predicted, from ``ranking_text``; InputError without a bar."""
    words = text.split()
    if words.count(BAR) != 1:
        raise InputError(
            "the stored labels of an example",
            f'"{text[:40]}" has no bar behind those that were predicted',
            "Nothing can be scored from it",
            "Delete the artifact and run the study again",
        )
    place = words.index(BAR)
    return (*words[:place], *words[place + 1 :]), place
