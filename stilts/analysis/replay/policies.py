"""The policies that replays compare, by name: the one that studies run, and those that it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stilts.analysis.replay.baselines import BestOnAverage, FullGrid, RandomCells, SequentialHalving
from stilts.errors import UnknownNameError
from stilts.search.selecting.policy import Policy
from stilts.search.selecting.select import Select

DEFAULT = "select"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A policy under its name. ``seeds``: what a grid costs whatever the budget, in grids of one seed; 0 for others.

    ``looks``: it pays for a world's cheap look at every cell, and is told of it.
    """

    make: Callable[[], Policy]
    seeds: int = 0
    looks: bool = False


def _grid(seeds: int) -> Named:
    return Named(make=lambda: FullGrid(seeds=seeds), seeds=seeds)


POLICIES: Mapping[str, Named] = {
    DEFAULT: Named(make=Select, looks=True),
    "random": Named(make=RandomCells),
    "best_on_average": Named(make=BestOnAverage),
    "successive_halving": Named(make=SequentialHalving, looks=True),
    **{f"full_grid_{seeds}": _grid(seeds) for seeds in (1, 2, 3, 4)},
}


def find_policy(name: str) -> Named:
    """The policy of that name; UnknownNameError where there is none."""
    if name not in POLICIES:
        raise UnknownNameError("policy", name, POLICIES)
    return POLICIES[name]
