"""Regret against cost, per policy and budget, with bootstrap intervals over paired splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stilts.analysis.replay.play import PolicyOutcome, play, question_of
from stilts.analysis.replay.policies import DEFAULT, Named, find_policy
from stilts.analysis.replay.world import FloatArray, Split, World, splits
from stilts.metrics.levels import LEVEL

_DRAWS = 2000
# A cheap look at every cell is taken where it costs at most this share of the budget.
_LOOK = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A policy at a budget under a price rule: mean cost, mean regret and its 95 % bootstrap interval over splits.

    ``workers``: how many trials ran at once.
    ``points_lost`` and its interval are in points of the score instead of per cent of the best.
    """

    policy: str
    default: bool
    price: str
    workers: int
    budget: float
    cost_frac: float
    regret_pct: float
    low: float
    high: float
    points_lost: float
    points_low: float
    points_high: float
    repeats: int

    def to_json(self) -> dict[str, object]:
        """All fields under their names."""
        return {name: getattr(self, name) for name in self.__slots__}


def curve(
    world: World,
    names: Sequence[str],
    budgets: Sequence[float],
    price: str,
    *,
    repeats: int = 20,
    priors: Sequence[FloatArray] = (),
    seed: int = 0,
    workers: int = 1,
    tell: Callable[[str], None] = lambda name: None,
) -> list[Point]:
    """Every named policy at every budget; grids stand at what they cost, where the choosing seeds allow them."""
    ways = splits(world, repeats, seed)
    points = []
    for name in names:
        tell(name)
        named = find_policy(name)
        if named.seeds > ways[0].scores.shape[2]:
            continue
        for budget in [float(named.seeds)] if named.seeds else sorted(set(budgets)):
            runs = [outcome(named, world, split, budget, price, priors, seed, workers) for split in ways]
            points.append(_point(name, price, workers, budget, runs))
    return points


def outcome(
    named: Named,
    world: World,
    split: Split,
    budget: float,
    price: str,
    priors: Sequence[FloatArray] = (),
    seed: int = 0,
    workers: int = 1,
) -> PolicyOutcome:
    """The policy's outcome at a budget, of which a cheap look at every cell is paid first where there is one."""
    look = named.looks and world.look is not None and world.look_frac <= _LOOK * budget
    paid = world.look_frac if look else 0.0
    told = [world.look, *priors] if look and world.look is not None else priors
    rng = np.random.default_rng([seed, split.number, 1])
    found = play(named.make(), question_of(world, split, price, told), split, budget - paid, rng, workers)
    return replace(found, cost_frac=found.cost_frac + paid)


def bootstrap(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """A 95 % percentile bootstrap interval of the mean (Efron 1979); both ends the value where there is one."""
    array = np.asarray(values, float)
    drawn = np.random.default_rng(seed).integers(0, len(array), (_DRAWS, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def _point(name: str, price: str, workers: int, budget: float, runs: Sequence[PolicyOutcome]) -> Point:
    regret = [run.regret_pct for run in runs]
    points = [run.points for run in runs]
    low, high = bootstrap(regret)
    points_low, points_high = bootstrap(points)
    return Point(
        policy=name,
        default=name == DEFAULT,
        price=price,
        workers=workers,
        budget=budget,
        cost_frac=float(np.mean([run.cost_frac for run in runs])),
        regret_pct=float(np.mean(regret)),
        low=low,
        high=high,
        points_lost=float(np.mean(points)),
        points_low=points_low,
        points_high=points_high,
        repeats=len(runs),
    )
