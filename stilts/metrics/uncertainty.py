"""How sure a gain is: an interval that joins the chance in test items with the chance in seeds.

Two kinds of chance stand behind a score. *Items*: another draw of test items would score differently; that is
bootstrapped (``resampling.py``). *Seeds*: another training run would; a percentile bootstrap nested in a handful of
seeds covers far too little (68 % with two where 95 % is asked), so seeds enter as a variance with degrees of freedom.

The variance of a mean over R seeds is ``V + (S2 - C) / R``: ``V`` the bootstrap variance of that mean over items,
``S2`` the sample variance over seeds, ``C`` the part of it that item sampling alone explains (the bootstrap
variance of the seeds' deviations from their mean), which ``V`` holds already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from stilts.metrics.levels import LEVEL
from stilts.metrics.resampling import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate in points with its two-sided interval, and what it is conditional on.

    ``conditional`` is true where a side's seed variance could not be estimated: the interval then speaks of the
    models that were trained, not of the recipe; ``conditions`` says which. ``components`` are variances in squared
    points: items, cell_seeds, baseline_seeds. ``df`` is Welch and Satterthwaite's, None where only items vary.
    ``p_value`` is two-sided, for an estimate of 0. ``one_model``: a side that seeds bear on has one, so the interval
    speaks of the model that was trained, and no claim about the recipe follows.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    conditional: bool
    conditions: tuple[str, ...] = ()
    components: Mapping[str, float] = field(default_factory=dict)
    df: float | None = None
    level: float = LEVEL
    one_model: bool = False

    @property
    def claim_p(self) -> float:
        """The p value of a claim about recipes: 1 where the spread over seeds is not known."""
        return 1.0 if self.one_model else self.p_value

    @property
    def error(self) -> float:
        """The estimate's standard error, in points."""
        return float(np.sqrt(sum(self.components.values())))

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def gain_interval(cell: Side, baseline: Side, *, level: float = LEVEL) -> Interval:
    """The gain of a cell over its baseline, in points, with a t interval over items and seeds.

    Seed variances of the two sides enter with their own degrees of freedom (Welch 1947, Satterthwaite 1946);
    a side with one replicate makes the interval conditional on its seed.
    """
    difference = cell.mean_draws - baseline.mean_draws
    parts = {
        "items": float(difference.var(ddof=1)),
        "cell_seeds": cell.seeds.of_mean,
        "baseline_seeds": baseline.seeds.of_mean,
    }
    named = (("the cell", cell.seeds.condition), ("the baseline", baseline.seeds.condition))
    conditions = tuple(f"{side}: {given}" for side, given in named if given)
    return t_interval(
        cell.mean - baseline.mean,
        parts,
        _welch_df(parts, cell, baseline),
        level=level,
        conditions=conditions,
        one_model=any(side.is_one_model for side in (cell, baseline)),
    )


def _welch_df(parts: Mapping[str, float], cell: Side, baseline: Side) -> float | None:
    """Degrees of freedom of the summed variance; the item variance is taken as known, so it has no term.

    A side's term uses its plain sample variance: that is the quantity with a chi-square distribution.
    """
    sides = [(side.seeds.sample / side.seeds.units, side.seeds.df) for side in (cell, baseline) if side.seeds.df]
    terms = sum(value**2 / df for value, df in sides)
    total = max(sum(parts.values()), sum(value for value, _ in sides))
    return total**2 / terms if terms > 0 else None


def t_interval(
    estimate: float,
    components: Mapping[str, float],
    df: float | None,
    *,
    level: float = LEVEL,
    conditions: tuple[str, ...] = (),
    one_model: bool = False,
) -> Interval:
    """The interval of an estimate whose variance is the sum of ``components``; ``df`` None: a normal one."""
    error = float(np.sqrt(sum(components.values())))
    half = t_quantile(0.5 + level / 2, df) * error
    return Interval(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        p_value=two_sided_p(estimate, error, df),
        conditional=bool(conditions),
        conditions=conditions,
        components=components,
        df=df,
        level=level,
        one_model=one_model,
    )


def t_quantile(share: float, df: float | None) -> float:
    """The quantile of Student's t with ``df`` degrees of freedom; None: of the normal distribution."""
    return float(ndtri(share) if df is None else stdtrit(df, share))


def two_sided_p(estimate: float, error: float, df: float | None) -> float:
    """The two-sided p value of an estimate of 0 with this standard error, by t or normal as in ``t_quantile``."""
    ratio = -abs(estimate) / error if error > 0 else (-np.inf if estimate else 0.0)
    return 2.0 * float(ndtr(ratio) if df is None else stdtr(df, ratio))
