"""Whether a figure rises or falls with the size of a model: a line through replicates of several sizes.

A model's size enters by its logarithm, so a slope is points per doubling (Kaplan et al. 2020 and many after find
losses smooth in it). Each value is one replicate's mean over what was measured on it: replicates are what varies
independently, for examples are the same under all sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stilts.errors import InputError
from stilts.metrics.levels import LEVEL
from stilts.metrics.uncertainty import t_quantile, two_sided_p

# An effect of the smallest visible size is found so often.
_POWER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeTrend:
    """Points per doubling of a model's size, with the 95 % interval; ``smallest_visible`` is found in 80 % of studies.

    ``values`` replicates of ``sizes`` sizes stand behind it.
    """

    slope: float
    low: float
    high: float
    p_value: float
    smallest_visible: float
    values: int
    sizes: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def size_trend(sizes: Sequence[float], values: Sequence[float]) -> SizeTrend:
    """The least-squares slope of ``values`` (points) on the binary logarithm of ``sizes`` (parameters).

    InputError with fewer than two sizes, or fewer than three values: a line through them would have no error.
    """
    x, y = np.log2(np.asarray(sizes, np.float64)), np.asarray(values, np.float64)
    distinct = len(set(sizes))
    if distinct < 2 or len(y) < 3:
        found = f"{len(y)} values of {distinct} sizes"
        raise InputError("a trend over model sizes", found, "It needs three values of two sizes", "Add sizes or seeds")
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    rest = y - y.mean() - slope * centred
    df = len(y) - 2
    error = float(np.sqrt(rest @ rest / df / spread))
    half = t_quantile(0.5 + LEVEL / 2, df) * error
    return SizeTrend(
        slope=slope,
        low=slope - half,
        high=slope + half,
        p_value=two_sided_p(slope, error, df),
        smallest_visible=half + t_quantile(_POWER, df) * error,
        values=len(y),
        sizes=distinct,
    )
