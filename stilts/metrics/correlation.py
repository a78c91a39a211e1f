"""Rows of the correlation of predicted numbers with gold ones.

Pearson's coefficient is a function of six sums, so it can be resampled like any other score. Spearman's is Pearson's of
the ranks, which are taken once, over all examples that are scored together. On these it is exact; in a resample the
ranks stay those of the whole set, which is why the score is Pearson's and Spearman's stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.metrics.classification import check_pairs
from stilts.metrics.metric import FloatArray
from stilts.metrics.ranks import mean_ranks


def correlation_rows(gold: Sequence[float], predicted: Sequence[float]) -> FloatArray:
    """Columns (total, x, y, xx, yy, xy) of values and (rx, ry, rxx, ryy, rxy) of their ranks, shape (examples, 11).

    x is gold, y predicted; equal values share the mean of their ranks (from 1). InputError when the lengths differ or a
    gold value is None.
    """
    check_pairs("correlation", gold, predicted)
    x, y = np.asarray(gold, np.float64), np.asarray(predicted, np.float64)
    rx, ry = mean_ranks(x), mean_ranks(y)
    columns = [np.ones(len(x)), x, y, x * x, y * y, x * y, rx, ry, rx * rx, ry * ry, rx * ry]
    return np.column_stack(columns)
