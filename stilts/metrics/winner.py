"""The gain of a row that was chosen for being high, with an interval that counts the choosing.

The winner of several rows is high partly by luck, and where the same models are scored on ``select`` and ``report`` the
luck of their seeds is in both. Its plain interval then lies too high: with eight equal rows and five seeds it holds
the truth in 90 of 100 studies. Here the whole procedure is simulated on truths that the data allow (posterior draws of
``best_row.py``): score, choose, make the plain interval. How often that interval lies above the truth says which
level to use for its lower end instead (prepivoting, Beran 1987). Where one row is far ahead little changes.

Only the lower end is moved, and only down. Moving both was tried: where the data cannot tell equal rows from rows that
differ a little it took the rows for too alike, and held the truth in 90 of 100 studies with rows that did differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtr

from stilts.metrics.best_row import root
from stilts.metrics.column_chance import ColumnChance
from stilts.metrics.levels import LEVEL
from stilts.metrics.metric import FloatArray
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval, gain_interval, t_quantile

# Of higher levels 4,000 draws say nothing.
_MOST = 0.9995


def winner_gain(
    cells: Mapping[str, Side],
    winner: str,
    baseline: str,
    select: Mapping[str, float] | None,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """The gain of ``winner`` over ``baseline``, rows of ``cells``, where the highest of the ``select`` scores won.

    ``select`` None: it was chosen on the scores themselves. With fewer than two rows beside the baseline there was
    nothing to choose, and the plain interval comes back; so it does where rows lack a selection score.
    """
    plain = gain_interval(cells[winner], cells[baseline], level=level)
    names = tuple(cells)
    if len(names) < 3 or (select is not None and not set(names) <= select.keys()):
        return plain
    means = np.array([cells[name].mean for name in names])
    chosen_by = means if select is None else np.array([select[name] for name in names])
    drawn = _simulated_levels(cells, names, names.index(baseline), float(np.std(chosen_by - means, ddof=1)), seed)
    if len(drawn) < 200:  # choosing nearly always ends with the baseline: too few winners to learn from
        return plain
    # The upper end is missed less often than it may be; what it leaves of the errors allowed goes to the lower end.
    above = max(1 - level - float((drawn < (1 - level) / 2).mean()), (1 - level) / 2)
    share = min(float(np.quantile(drawn, 1 - above)), _MOST)
    error = float(np.sqrt(sum(plain.components.values())))
    reach = t_quantile(share, plain.df) * error
    return replace(plain, low=min(plain.low, plain.estimate - reach))


def _simulated_levels(
    cells: Mapping[str, Side], names: tuple[str, ...], base: int, blur: float, seed: int
) -> FloatArray:
    """For simulated winners, the share of the plain t distribution below their error; uniform without selection.

    ``blur`` is the standard deviation, in points, of selection scores around report scores.
    """
    stream = np.random.default_rng(seed)
    chance = ColumnChance.of(cells)
    study = _Study.of(cells, names, chance)
    truth = chance.true_scores(np.array([cells[name].mean for name in names]), stream)
    by_items = stream.standard_normal(truth.scores.shape) @ root(study.items).T
    by_seeds = stream.standard_normal(truth.scores.shape) * np.sqrt(truth.scale[:, None] * study.seeds)
    errors = by_items + by_seeds
    scored = truth.scores + errors
    winners = (scored + blur * stream.standard_normal(scored.shape)).argmax(axis=1)
    at = np.arange(len(winners))
    error = errors[at, winners] - errors[:, base]
    free = np.maximum(study.df, 1)
    spread = stream.chisquare(free, scored.shape) / free * truth.scale[:, None] * study.seeds * (study.df > 0)
    parts = np.stack([spread[at, winners], spread[:, base]])
    items = study.items[winners, winners] + study.items[base, base] - 2 * study.items[winners, base]
    total = items + parts.sum(axis=0)
    terms = parts[0] ** 2 / free[winners] + parts[1] ** 2 / free[base]
    ratio = error / np.sqrt(np.maximum(total, 1e-18))
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.where(terms > 0, stdtr(total**2 / terms, ratio), ndtr(ratio))
    kept: FloatArray = levels[winners != base]
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class _Study:
    """What the simulation takes from the study: item covariance (rows, rows), seed variances and their df (rows,)."""

    items: FloatArray
    seeds: FloatArray
    df: FloatArray

    @classmethod
    def of(cls, cells: Mapping[str, Side], names: tuple[str, ...], chance: ColumnChance) -> _Study:
        return cls(
            items=chance.covariance(),
            seeds=chance.seeds,
            df=np.array([float(cells[name].seeds.df) for name in names]),
        )
