"""Search spaces: the ranges a searched row may take its recipe from, as plain values.

A proposal's parameters are rounded before they become identity (DESIGN rule 7): numbers to three significant
digits, weights to ``Simplex.step``, so that a recipe found twice is one stage. A parameter may depend on others: where
its conditions do not hold, a proposal does not carry it, and the row's own setting stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TypeAlias

from stilts.fingerprint import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatRange:
    """A number between ``low`` and ``high``, both included; ``log`` draws its logarithm uniformly.

    ``step``, where it is given, divides both ends: multiples of it are drawn, and no rounding to digits is done.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntRange:
    """A whole number between ``low`` and ``high``, both included; ``log`` draws its logarithm uniformly."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One of some listed values."""

    values: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simplex:
    """Weights of named tasks that sum to 1, rounded to ``step``; a task whose weight rounds to 0 is left out."""

    tasks: tuple[str, ...]
    step: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsetOf:
    """At least ``low`` and at most ``high`` of the tasks, as a list in their order."""

    tasks: tuple[str, ...]
    low: int
    high: int


Range: TypeAlias = FloatRange | IntRange | Choices | Simplex | SubsetOf


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """The condition that a number is one of these."""

    values: tuple[float, ...]

    def holds(self, value: Json) -> bool:
        """Whether the value is listed; False for what is no number."""
        return isinstance(value, int | float) and value in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The condition that a number lies between ``low`` and ``high``, both included."""

    low: float
    high: float

    def holds(self, value: Json) -> bool:
        """Whether the value lies there; False for what is no number."""
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """What is searched, by parameter name: ``learning_rate``, ``steps``, ``weights``, ``subset``, ...

    ``when`` maps a parameter to the conditions, by other parameter, under which it is drawn; all must hold, and none
    holds of a parameter that is itself not drawn. There are no circles.
    """

    params: Mapping[str, Range]
    when: Mapping[str, Mapping[str, OneOf | Within]] = field(default_factory=dict)

    def order(self) -> list[str]:
        """The parameters, each behind those that it depends on."""
        others = {name: set(self.when.get(name, ())) for name in self.params}
        return [name for name in TopologicalSorter(others).static_order() if name in self.params]

    def applies(self, name: str, params: Mapping[str, Json]) -> bool:
        """Whether a proposal that has these other parameters carries this one."""
        conditions = self.when.get(name, {})
        return all(other in params and condition.holds(params[other]) for other, condition in conditions.items())


def lowest(space: SearchSpace) -> dict[str, Json]:
    """A made-up proposal, to look at what a row would train and never run: first choices, low ends, equal weights."""
    params: dict[str, Json] = {}
    for name in space.order():
        values = space.params[name]
        if space.applies(name, params):
            params[name] = _lowest(values)
    return params


def _lowest(values: Range) -> Json:
    match values:
        case FloatRange() | IntRange():
            return values.low
        case Choices():
            return values.values[0]
        case Simplex():
            return dict(round_weights(dict.fromkeys(values.tasks, 1.0), values.step))
        case SubsetOf():
            return list(values.tasks[: values.high])


def round_number(value: float, digits: int = 3) -> float:
    """The value at ``digits`` significant digits: the form in which a searched number becomes identity."""
    return float(f"{value:.{digits - 1}e}")


def round_weights(weights: Mapping[str, float], step: float = 0.01, total: float = 1.0) -> dict[str, float]:
    """The weights scaled to sum to ``total`` and rounded to multiples of ``step`` that sum to exactly that.

    Rounds by largest remainder (ties: the earlier name), and leaves out what rounds to 0.
    """
    whole, per_one = math.fsum(weights.values()), round(1 / step)
    units = round(total * per_one)
    exact = {name: weight / whole * units for name, weight in weights.items()}
    counts = {name: math.floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (counts[name] - exact[name], name))
    for name in by_remainder[: units - sum(counts.values())]:
        counts[name] += 1
    return {name: round(count / per_one, 10) for name, count in counts.items() if count}


# Seeds of searches and of fixed rows are below it (``Search.seeds`` and ``Seeds`` end at 1000), so that a seed from it
# on bore on no choice, whatever the study file said before.
FRESH_SEED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One drawn recipe of a searched row: its number, counted from 0, and its rounded parameters.

    ``seeds`` is how many seeds it is searched under: pairs (0, 0), (1, 1), ... of intermediate and target seed. Where
    it was chosen, ``stands_for`` names the objectives that it was chosen for, and ``confirms`` the columns on which it
    is trained again, under as many pairs from ``FRESH_SEED`` on as a cell has replicates.
    """

    number: int
    params: Mapping[str, Json]
    seeds: int = 1
    stands_for: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()
