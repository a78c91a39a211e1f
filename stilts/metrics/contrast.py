"""Contrasts: weighted sums of estimates that were made apart, such as the slope of gains over sizes of encoders.

The estimates count as independent. Those of several encoders on the same test items are not quite: they err in the same
direction, so that a difference of them is known better than the interval says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.metrics.comparison import POWER
from stilts.metrics.levels import LEVEL
from stilts.metrics.uncertainty import Interval, t_interval, t_quantile


def contrast(estimates: Sequence[Interval], weights: Sequence[float], *, level: float = LEVEL) -> Interval:
    """The weighted sum of estimates with its t interval; degrees of freedom after Welch and Satterthwaite.

    ``one_model`` where any estimate with a weight is of one model: no claim about recipes follows from the sum then.
    """
    used = [(one, weight) for one, weight in zip(estimates, weights, strict=True) if weight]
    variances = [(weight * one.error) ** 2 for one, weight in used]
    terms = sum(
        value**2 / one.df for (one, _), value in zip(used, variances, strict=True) if one.df is not None and one.df > 0
    )
    conditions = dict.fromkeys(condition for one, _ in used for condition in one.conditions)
    return t_interval(
        sum(weight * one.estimate for one, weight in used),
        {"estimates": sum(variances)},
        sum(variances) ** 2 / terms if terms > 0 else None,
        level=level,
        conditions=tuple(conditions),
        one_model=any(one.one_model for one, _ in used),
    )


def slope(estimates: Sequence[Interval], places: Sequence[float], *, level: float = LEVEL) -> Interval | None:
    """How estimates go with their places, by least squares: points per unit of place; None where all places are one."""
    x = np.asarray(places, np.float64)
    centred = x - x.mean() if len(x) else x
    spread = float((centred**2).sum())
    if spread <= 0:
        return None
    return contrast(estimates, list(centred / spread), level=level)


def smallest_visible(interval: Interval, level: float) -> float:
    """How far from its threshold an effect is found with 80 % power, two-sided at ``level``, by its own error."""
    return interval.error * (t_quantile(1.0 - level / 2, interval.df) + t_quantile(POWER, interval.df))
