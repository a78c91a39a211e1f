"""Regret against cost, per policy and budget, with bootstrap intervals over paired splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stilts.analysis.replay.play import PolicyOutcome, play, question_of
from stilts.analysis.replay.world import FloatArray, Split, World, splits
from stilts.metrics.levels import LEVEL
from stilts.search.selecting.policy import Policy
from stilts.search.selecting.registry import DEFAULT, POLICIES, find_policy

_DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A policy at a budget under a price rule: mean cost, mean regret and its 95 % bootstrap interval over splits.

    ``points_lost`` and its interval are in points of the score instead of per cent of the best.
    """

    policy: str
    default: bool
    price: str
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
    ways: Sequence[Split] | None = None,
    tell: Callable[[str], None] = lambda name: None,
) -> list[Point]:
    """Every named policy at every budget; grids stand at what they cost, where the choosing seeds allow them."""
    found = splits(world, repeats, seed) if ways is None else ways
    points = []
    for name in names:
        tell(name)
        grid = POLICIES[name].seeds if name in POLICIES else 0
        if grid > found[0].scores.shape[2]:
            continue
        own = [float(grid)] if grid else sorted(set(budgets))
        runs = outcomes(find_policy(name), world, found, own, price, priors, seed)
        points += [_point(name, price, budget, [run[place] for run in runs]) for place, budget in enumerate(own)]
    return points


def outcomes(
    policy: Policy,
    world: World,
    ways: Sequence[Split],
    budgets: Sequence[float],
    price: str,
    priors: Sequence[FloatArray] = (),
    seed: int = 0,
) -> list[list[PolicyOutcome]]:
    """One list per split: the policy's outcome at every budget. Each budget is a run of its own."""
    runs = []
    for split in ways:
        question = question_of(world, split, price, priors)
        rng = [np.random.default_rng([seed, split.number, 1]) for _ in budgets]
        runs.append([play(policy, question, split, [b], r)[0] for b, r in zip(budgets, rng, strict=True)])
    return runs


def bootstrap(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """A 95 % percentile bootstrap interval of the mean (Efron 1979); both ends the value where there is one."""
    array = np.asarray(values, float)
    drawn = np.random.default_rng(seed).integers(0, len(array), (_DRAWS, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def _point(name: str, price: str, budget: float, runs: Sequence[PolicyOutcome]) -> Point:
    regret = [run.regret_pct for run in runs]
    points = [run.points for run in runs]
    low, high = bootstrap(regret)
    points_low, points_high = bootstrap(points)
    return Point(
        policy=name,
        default=name == DEFAULT,
        price=price,
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
