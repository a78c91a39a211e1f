"""A row's score over several targets, with the doubt that belongs to the mean.

Test items of different targets are independent. So are the target seeds: each target is fine-tuned on its own. But one
trained intermediate serves every target, so its luck is shared. Where a row has the same intermediate seeds, two or
more, in all targets, the seed variance is that of the means per intermediate seed, with one degree of freedom less than
there are seeds. Where it has not, the targets' seed variances are summed as if independent, which is too
small by what they share; the totals then say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from stilts.metrics.levels import LEVEL
from stilts.metrics.metric import FloatArray
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval, t_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedTerm:
    """One part of the seed variance of a mean, in squared points, known to ``df`` degrees of freedom.

    ``value`` has what item sampling explains taken out, ``sample`` has not (it is what follows a chi-square).
    """

    value: float
    sample: float
    df: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A row's mean over targets, 0..100, its draws under resampled items, and its seed variance.

    ``shared`` says whether the variance is per intermediate seed; ``single`` names the targets whose seeds say nothing.
    """

    mean: float
    draws: FloatArray
    seeds: tuple[SeedTerm, ...]
    shared: bool
    single: tuple[str, ...]


def total_of(sides: Mapping[str, Side]) -> Total:
    """One row's total over targets (``sides`` by target); rows compare over the same targets in the same order."""
    own = list(sides.values())
    return Total(
        mean=fmean(side.mean for side in own),
        draws=np.mean([side.mean_draws[_order(at, side)] for at, side in enumerate(own)], axis=0),
        seeds=(_shared(own),) if _common_seeds(own) else _summed(own),
        shared=bool(_common_seeds(own)),
        single=tuple(name for name, side in sides.items() if side.seeds.condition),
    )


def total_interval(total: Total, baseline: Total | None = None, *, level: float = LEVEL) -> Interval:
    """The total's score, or its gain over the baseline's, with a t interval over items and seeds."""
    parts = {"the row": (1.0, total)}
    if baseline is not None:
        parts["the baseline"] = (-1.0, baseline)
    return weighted_total(parts, level=level)


def weighted_total(parts: Mapping[str, tuple[float, Total]], *, level: float = LEVEL) -> Interval:
    """The weighted sum of rows' totals over the same targets with a t interval over items and seeds.

    Rows are resampled together, so their items are paired; seeds are independent. Degrees of freedom are Welch's and
    Satterthwaite's over all seed terms, as in ``uncertainty.gain_interval``.
    """
    used = {name: (weight, total) for name, (weight, total) in parts.items() if weight}
    draws = np.sum([weight * total.draws for weight, total in used.values()], axis=0)
    terms = [(weight**2, term) for weight, total in used.values() for term in total.seeds]
    components = {"items": float(draws.var(ddof=1))} | {
        f"seeds of {name}": sum(weight**2 * term.value for term in total.seeds)
        for name, (weight, total) in used.items()
    }
    variance = sum(components.values())
    spread = sum((square * term.sample) ** 2 / term.df for square, term in terms)
    df = max(variance, sum(square * term.sample for square, term in terms)) ** 2 / spread if spread > 0 else None
    single = {name: total.single for name, (_, total) in used.items() if total.single}
    return t_interval(
        sum(weight * total.mean for weight, total in used.values()),
        components,
        df,
        level=level,
        conditions=tuple(f"{name}: one seed in {', '.join(targets)}" for name, targets in single.items()),
        one_model=bool(single),
    )


def _order(at: int, side: Side) -> NDArray[np.intp]:
    """An order of the draws of the target's own: targets are resampled from one stream, and must not go together."""
    return np.random.default_rng(at).permutation(side.draws.shape[2])


def _common_seeds(sides: Sequence[Side]) -> tuple[int, ...]:
    """The intermediate seeds of every side, where they are the same two or more in all; else none."""
    sets = [frozenset(seed for seed in side.intermediate_seeds if seed is not None) for side in sides]
    whole = all(None not in side.intermediate_seeds for side in sides)
    return tuple(sorted(sets[0])) if whole and len(sets[0]) >= 2 and len(set(sets)) == 1 else ()


def _shared(sides: Sequence[Side]) -> SeedTerm:
    seeds = _common_seeds(sides)
    scores = np.array([_per_seed(side.scores.mean(axis=1), side, seeds) for side in sides]).mean(axis=0)
    drawn = [_per_seed(s.draws.mean(axis=1), s, seeds)[:, _order(at, s)] for at, s in enumerate(sides)]
    draws = np.mean(drawn, axis=0)
    count = len(seeds)
    sample = float(scores.var(ddof=1))
    by_items = float((draws - draws.mean(axis=0)).var(axis=1, ddof=1).sum() / (count - 1))
    return SeedTerm(value=max(0.0, sample - by_items) / count, sample=sample / count, df=count - 1)


def _per_seed(values: FloatArray, side: Side, seeds: Sequence[int]) -> FloatArray:
    """Means of replicates (first axis) by intermediate seed, in the order of ``seeds``."""
    given = np.array(side.intermediate_seeds)
    return np.array([values[given == seed].mean(axis=0) for seed in seeds])


def _summed(sides: Sequence[Side]) -> tuple[SeedTerm, ...]:
    weight = 1.0 / len(sides) ** 2
    return tuple(
        SeedTerm(
            value=weight * side.seeds.of_mean, sample=weight * side.seeds.sample / side.seeds.units, df=side.seeds.df
        )
        for side in sides
        if side.seeds.df
    )
