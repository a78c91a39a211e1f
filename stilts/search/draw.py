"""Draw: all that one draw of a sampler depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial

from stilts.seeds import derive_seed

# Which way an objective is climbed, as Optuna says it.
Direction: TypeAlias = Literal["minimize", "maximize"]
# The user attribute that holds a trial's proposal number: Optuna's own numbers follow the order of telling.
NUMBER = "stilts_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One draw: what may be drawn, what is known, and the seeds.

    ``known`` holds trials in the order of their proposal numbers, then unfinished ones; ``directions`` are those of
    the objectives. ``row_seed`` is the same for every proposal of a row, ``seed`` is this
    draw's own. ``index`` is the proposal's number, counted from 0, and grows with every further draw made for it.
    """

    distributions: Mapping[str, BaseDistribution]
    known: Sequence[FrozenTrial]
    directions: tuple[Direction, ...]
    row_seed: int
    seed: int
    index: int


def is_numeric(kind: BaseDistribution) -> bool:
    """Whether more than one number can be drawn from it."""
    return not isinstance(kind, CategoricalDistribution) and not kind.single()


def seed32(seed: int) -> int:
    """A seed below 2**32, as samplers take it."""
    return derive_seed("sampler", seed) % 2**32
