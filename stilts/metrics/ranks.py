"""Ranks, and Spearman's coefficient: Pearson's of the ranks. In numpy alone: scipy.stats takes longer to import."""

from __future__ import annotations

import numpy as np

from stilts.metrics.metric import FloatArray


def mean_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, (n,); equal values share the mean of theirs, as in ``scipy.stats.rankdata``."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[places], np.float64)


def spearman(one: FloatArray, other: FloatArray) -> float | None:
    """Spearman's rank correlation, -1 to 1; None where either side is constant."""
    if len(np.unique(one)) < 2 or len(np.unique(other)) < 2:
        return None
    return float(np.corrcoef(mean_ranks(one), mean_ranks(other))[0, 1])
