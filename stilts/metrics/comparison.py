"""Comparisons of many cells at once: which could be the best, corrections for asking often, what would settle it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from stilts.metrics.best_row import best_probabilities
from stilts.metrics.column_chance import ColumnChance
from stilts.metrics.levels import LEVEL
from stilts.metrics.metric import FloatArray
from stilts.metrics.resampling import Side

POWER = 0.80


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The rows of one column compared with their best.

    ``equals`` lists the rows that cannot be told from the best at ``level``, all comparisons together, best first;
    ``p_best`` is how likely each row is the best (``best_row.py``; sums to 1). ``conditional`` is true
    where no row has two replicates: nothing is known of the spread over seeds, so every row could be the best, and
    ``p_best`` is empty.
    """

    equals: tuple[str, ...]
    p_best: Mapping[str, float]
    conditional: bool
    level: float = LEVEL


def set_of_equals(cells: Mapping[str, Side], *, level: float = LEVEL, seed: int = 0) -> Comparison:
    """Multiple comparison with the best (Hsu 1981) over the rows of one column.

    A row stays unless some other row beats it by more than the ``level`` quantile of the largest studentised difference
    that chance alone gives, items and seeds drawn jointly (a many-to-one comparison with each row as control). As
    in Hsu's test the rows share one seed variance, pooled over those with two or more replicates and lent to the
    others; its uncertainty enters through a chi-square draw on its degrees of freedom.
    """
    names = tuple(cells)
    means = np.array([cells[name].mean for name in names])
    chance = ColumnChance.of(cells)
    if chance.conditional:
        ranked = sorted(names, key=lambda name: -cells[name].mean)
        return Comparison(equals=tuple(ranked), p_best={}, conditional=True, level=level)
    stream = np.random.default_rng(seed)
    noise, variances = chance.noise(stream), chance.variances()
    keeps = [_could_be_best(i, means, noise, variances, level) for i in range(len(names))]
    order = sorted((i for i in range(len(names)) if keeps[i]), key=lambda i: -means[i])
    shares = best_probabilities(chance.true_scores(means, stream))
    return Comparison(
        equals=tuple(names[i] for i in order),
        p_best={name: float(share) for name, share in zip(names, shares, strict=True)},
        conditional=False,
        level=level,
    )


def _could_be_best(i: int, means: FloatArray, noise: FloatArray, variances: FloatArray, level: float) -> bool:
    others = [j for j in range(len(means)) if j != i]
    if not others:
        return True
    # Identical rows differ by 0 with variance 0; the floor keeps 0/0 at 0 and any real difference decisive.
    errors = np.sqrt(np.maximum(variances[i, others], 1e-18))
    observed = ((means[others] - means[i]) / errors).max()
    by_chance = ((noise[others] - noise[i]) / errors[:, None]).max(axis=0)
    return bool(observed <= max(float(np.quantile(by_chance, level)), 0.0))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values adjusted so that the chance of any false claim stays below their level (Holm 1979)."""
    count = len(p_values)
    adjusted, highest = [0.0] * count, 0.0
    for rank, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values adjusted so that the expected share of false claims stays below their level (Benjamini 1995)."""
    count = len(p_values)
    adjusted, lowest = [0.0] * count, 1.0
    for rank, index in reversed(list(enumerate(sorted(range(count), key=lambda i: p_values[i]), start=1))):
        lowest = min(lowest, p_values[index] * count / rank)
        adjusted[index] = lowest
    return tuple(adjusted)


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceSplit:
    """Where the spread of one cell's score comes from, as variances of one replicate in squared points.

    A part is None where the design cannot tell it, and ``reason`` says why. ``examples`` is from sampling test items.
    """

    intermediate_seed: float | None
    target_seed: float | None
    examples: float
    reason: str | None = None


def variance_split(cell: Side) -> VarianceSplit:
    """Components for intermediate seed, target seed and examples, by moments of the nested design.

    Not estimable unless at least two intermediate seeds have at least two target seeds each (DESIGN rule 8). What item
    sampling explains of the spread within an intermediate seed is taken out of the target seed's part.
    """
    scores, draws = cell.scores.mean(axis=1), cell.draws.mean(axis=1)
    examples = float(draws.var(axis=1, ddof=1).mean())
    groups = [list(group) for group in cell.clusters if cell.intermediate_seeds[group[0]] is not None]
    if sum(len({cell.target_seeds[i] for i in group}) >= 2 for group in groups) < 2:
        reason = "not estimable: it takes two target seeds under each of two intermediate seeds"
        return VarianceSplit(intermediate_seed=None, target_seed=None, examples=examples, reason=reason)
    within_df = sum(len(group) - 1 for group in groups)
    within = _within(scores[:, None], groups)[0] / within_df
    by_items = float(_within(draws - draws.mean(axis=1, keepdims=True), groups).mean()) / within_df
    sizes = np.array([len(group) for group in groups])
    means = np.array([scores[group].mean() for group in groups])
    between = float((sizes * (means - np.average(means, weights=sizes)) ** 2).sum() / (len(groups) - 1))
    # Mean group size for unequal groups, as in one-way random-effects analysis of variance (Searle et al. 1992, 3.6).
    size = float((sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(groups) - 1))
    return VarianceSplit(
        intermediate_seed=max(0.0, (between - float(within)) / size),
        target_seed=max(0.0, float(within) - by_items),
        examples=examples,
    )


def _within(values: FloatArray, groups: Sequence[Sequence[int]]) -> FloatArray:
    """Sums of squared deviations from the group's mean, shape (draws,), for values of shape (replicates, draws)."""
    parts = [((values[list(g)] - values[list(g)].mean(axis=0)) ** 2).sum(axis=0) for g in groups]
    return np.asarray(np.sum(parts, axis=0), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherReplicates:
    """A rough number of further replicates for each of two rows; None where they would not help, with the reason."""

    number: int | None
    reason: str


def replicates_needed(
    winner: Side, runner_up: Side, *, power: float = POWER, level: float = LEVEL, most: int = 1000
) -> FurtherReplicates:
    """How many further replicates of each would tell winner and runner-up apart with the given power.

    Takes today's difference and seed variances for true, so it is a rough guide. More replicates shrink
    only the seeds' part of the variance, never that of the items.
    """
    gap = winner.mean - runner_up.mean
    quantiles = NormalDist().inv_cdf(0.5 + level / 2) + NormalDist().inv_cdf(power)
    known = [side.seeds for side in (winner, runner_up) if side.seeds.df]
    if not known and not (winner.deterministic and runner_up.deterministic):
        return FurtherReplicates(number=None, reason="neither has two replicates, so the seeds' variance is not known")
    pooled = sum(seeds.value for seeds in known) / max(len(known), 1)
    seeded = [side for side in (winner, runner_up) if not side.deterministic]
    seeds = sum(side.seeds.value if side.seeds.df else pooled for side in seeded)
    room = (gap / quantiles) ** 2 - float((winner.mean_draws - runner_up.mean_draws).var(ddof=1))
    if room <= 0:
        return FurtherReplicates(number=None, reason="the test items are too few to tell them apart at this difference")
    have = min((side.seeds.units for side in seeded), default=0)
    number = max(0, math.ceil(seeds / room) - have)
    if number > most:
        return FurtherReplicates(number=None, reason=f"it would take more than {most} further replicates of each")
    return FurtherReplicates(number=number, reason="today's difference and seed variance taken for true")
