"""Rows of ranked answers within the first 20: Mewsli-X's reciprocal rank and LAReQA's average precision.

Answers are ids, or places in the pool as ``neighbours`` gives them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np

from stilts.metrics.classification import check_pairs
from stilts.metrics.metric import FloatArray

DEPTH = 20
# The metrics of rankings.
RANKINGS = ("map_at_20", "reciprocal_rank_at_20")


def ranking_rows(
    metric: str, gold: Sequence[Sequence[Hashable]], ranked: Sequence[Sequence[Hashable] | None]
) -> FloatArray:
    """The statistics of each query under one of ``RANKINGS``, shape (queries, 2), from all its right answers.

    Where a reciprocal rank has several right answers the first that is ranked counts; with none it is 0.
    """
    if metric == "map_at_20":
        return average_precision_rows(gold, ranked)
    firsts = [
        next((answer for answer in found or () if answer in right), right[0] if right else "")
        for right, found in zip(gold, ranked, strict=True)
    ]
    return reciprocal_rank_rows(firsts, ranked)


def reciprocal_rank_rows(
    gold: Sequence[Hashable], ranked: Sequence[Sequence[Hashable] | None], *, depth: int = DEPTH
) -> FloatArray:
    """Columns (reciprocal, total) of each query, shape (queries, 2): 1 / rank of its right answer, 0 below ``depth``.

    XTREME-R's scorer calls it map@20 for Mewsli-X: with one right answer, average precision is the reciprocal rank. A
    ranking of None (missing) scores 0. InputError when the lengths differ or a gold answer is None.
    """
    check_pairs("reciprocal rank", gold, ranked)
    rows = [(_reciprocal(right, _first(found, depth)), 1.0) for right, found in zip(gold, ranked, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 2)


def average_precision_rows(
    gold: Sequence[Collection[Hashable]], ranked: Sequence[Sequence[Hashable] | None], *, depth: int = DEPTH
) -> FloatArray:
    """Columns (precision, total) of each query, shape (queries, 2): its average precision within ``depth``, and 1.

    LAReQA in XTREME-R (Ruder et al. 2021: mAP@20; Roy et al. 2020): the mean, over the right answers, of the precision
    at the rank of each, 0 for one that is not among the first ``depth``. The official scorer names the task and has no
    reader for it, and the script beside it averages over the whole ranking, so this is ours: the mean is over min(right
    answers, depth), so that a perfect ranking scores 1 whatever the number of answers. An answer that is ranked twice
    counts at its first rank; the second takes a place and is wrong. InputError as above.
    """
    check_pairs("average precision", gold, ranked)
    rows = [
        (_precision(set(right), _first(found, depth), depth), 1.0) for right, found in zip(gold, ranked, strict=True)
    ]
    return np.array(rows, np.float64).reshape(-1, 2)


def _reciprocal(right: Hashable, found: Sequence[Hashable]) -> float:
    return next((1.0 / rank for rank, answer in enumerate(found, start=1) if answer == right), 0.0)


def _precision(right: set[Hashable], found: Sequence[Hashable], depth: int) -> float:
    left, total = set(right), 0.0
    for rank, answer in enumerate(found, start=1):
        if answer in left:
            left.remove(answer)
            total += (len(right) - len(left)) / rank
    return total / min(len(right), depth) if right else 0.0


def _first(found: Sequence[Hashable] | None, depth: int) -> Sequence[Hashable]:
    return () if found is None else found[:depth]
