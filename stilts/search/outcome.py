"""Outcome and Told: what is known of a proposal. Values only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from stilts.fingerprint import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a proposal for one aim: a value per objective, or None where it failed or was pruned.

    ``curve`` maps optimizer steps to selection scores where it was ``pruned`` (empty: not recorded).
    """

    values: tuple[float, ...] | None = None
    pruned: bool = False
    curve: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_scored(self) -> bool:
        """Whether there is a number for every objective."""
        return self.values is not None and not any(math.isnan(value) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of one proposal, by the name of the aim; an aim that is missing has not been reached yet."""

    number: int
    params: Mapping[str, Json]
    outcomes: Mapping[str, Outcome]
