"""Filling: which replicates of a study are run. A grid runs them all; ``selected_cells.py`` asks a policy."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Protocol

from stilts.study.plan import Plan
from stilts.study.stage import Stage


class Expected(Protocol):
    """How long a stage is expected to take."""

    def __call__(self, stage: Stage) -> float:
        """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when more replicates are asked for.

    ``whole`` is the plan of every replicate that the study allows; ``done`` are published keys, ``hopeless`` stages
    that failed or were pruned with all that starts from them. ``left_s`` is what may still be begun, in seconds of
    stages; ``spent_s`` what the study spent. ``slots`` is how many stages run at once.
    """

    whole: Plan
    done: Set[str]
    hopeless: Set[str]
    expected: Expected
    left_s: float
    spent_s: float
    slots: int = 1


class Filling(Protocol):
    """Says which part of the whole plan is to be run, and asks for more when that is done."""

    def chosen(self, whole: Plan) -> Plan:
        """The part of the plan that is asked for so far."""

    def more(self, situation: Situation) -> bool:
        """Asks for more replicates; False where no more are wanted, or not yet. Records what it decided, and why.

        It is called whenever a worker is free and nothing is ready, so also while asked replicates wait for others.
        """

    def stopped(self, situation: Situation, why: str) -> None:
        """Hears that the budget ended the study."""

    @property
    def is_open(self) -> bool:
        """Whether more may still be asked for: weights that further replicates would start from must stay."""


class WholeGrid:
    """Every replicate of the study."""

    is_open = False

    def chosen(self, whole: Plan) -> Plan:
        """All of it."""
        return whole

    def more(self, situation: Situation) -> bool:
        """Never: everything is asked for."""
        return False

    def stopped(self, situation: Situation, why: str) -> None:
        """Nothing: what is not done is missing, and the same command goes on where the budget allows."""


Prior = Mapping[tuple[str, str], float]
