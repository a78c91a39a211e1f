"""Rank correlation of a handful of points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.metrics.ranks import spearman

# With fewer points a rank correlation of plus or minus one comes up by chance in one of twelve orders.
FEWEST = 4


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's coefficient, -1 to 1; None for fewer than four points, or where either side is constant."""
    if len(one) < FEWEST:
        return None
    return spearman(np.asarray(one, np.float64), np.asarray(other, np.float64))
