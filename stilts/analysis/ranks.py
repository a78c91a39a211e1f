"""Rank correlation of a handful of points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.metrics.metric import FloatArray

# With fewer points a rank correlation of plus or minus one comes up by chance in one of twelve orders.
FEWEST = 4


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's coefficient, -1 to 1; None for fewer than four points, or where either side is constant."""
    if len(one) < FEWEST or len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Sequence[float]) -> FloatArray:
    """Ranks from 0, equal values sharing their mean rank."""
    given = np.asarray(values, np.float64)
    below = (given[None, :] < given[:, None]).sum(axis=1)
    equal = (given[None, :] == given[:, None]).sum(axis=1)
    return np.asarray(below + (equal - 1) / 2, np.float64)
