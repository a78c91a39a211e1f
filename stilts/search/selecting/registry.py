"""Policies by name. One of them is the default: what ``search: {policy: select}`` runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stilts.errors import UnknownNameError
from stilts.search.selecting.baselines import BestOnAverage, FullGrid, RandomCells, SequentialHalving
from stilts.search.selecting.policy import Policy
from stilts.search.selecting.select import Select

DEFAULT = "select"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A policy under its name. ``seeds``: what a grid costs whatever the budget, in grids of one seed; 0 for others."""

    name: str
    make: Callable[[], Policy]
    seeds: int = 0


POLICIES: Mapping[str, Named] = {
    named.name: named
    for named in (
        Named(name=DEFAULT, make=Select),
        Named(name="random", make=RandomCells),
        Named(name="best_on_average", make=BestOnAverage),
        Named(name="successive_halving", make=SequentialHalving),
        Named(name="full_grid_1", make=lambda: FullGrid(seeds=1), seeds=1),
        Named(name="full_grid_2", make=lambda: FullGrid(seeds=2), seeds=2),
        Named(name="full_grid_3", make=lambda: FullGrid(seeds=3), seeds=3),
        Named(name="full_grid_4", make=lambda: FullGrid(seeds=4), seeds=4),
    )
}


def find_policy(name: str) -> Policy:
    """The policy of that name with its default settings; UnknownNameError where there is none."""
    if name not in POLICIES:
        raise UnknownNameError("policy", name, POLICIES)
    return POLICIES[name].make()
