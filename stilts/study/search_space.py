"""Search spaces: the ranges a searched row may take its recipe from, as plain values.

A proposal's parameters are rounded before they become identity (DESIGN rule 7): numbers to three significant
digits, weights to ``Simplex.step``, so that a recipe found twice is one stage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from stilts.fingerprint import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatRange:
    """A number between ``low`` and ``high``, both included; ``log`` draws its logarithm uniformly."""

    low: float
    high: float
    log: bool = False


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


Range: TypeAlias = FloatRange | IntRange | Choices | Simplex


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """What is searched, by parameter name: ``learning_rate``, ``steps``, ``warmup_frac``, ``weights``."""

    params: Mapping[str, Range]


def round_number(value: float, digits: int = 3) -> float:
    """The value at ``digits`` significant digits: the form in which a searched number becomes identity."""
    return float(f"{value:.{digits - 1}e}")


def round_weights(weights: Mapping[str, float], step: float = 0.01) -> dict[str, float]:
    """The weights scaled to sum to 1 and rounded to multiples of ``step`` that sum to exactly 1.

    Rounds by largest remainder (ties: the earlier name), and leaves out what rounds to 0.
    """
    total, units = math.fsum(weights.values()), round(1 / step)
    exact = {name: weight / total * units for name, weight in weights.items()}
    counts = {name: math.floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (counts[name] - exact[name], name))
    for name in by_remainder[: units - sum(counts.values())]:
        counts[name] += 1
    return {name: round(count / units, 10) for name, count in counts.items() if count}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One drawn recipe of a searched row: its number, counted from 0, and its rounded parameters."""

    number: int
    params: Mapping[str, Json]
