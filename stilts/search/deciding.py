"""What a policy of a live study is given, and what it gives: decisions. docs/architecture.md, "How a study decides".

``Known`` is what is known of the study's stages, ``Situation`` what more could be asked for now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from stilts.ledger.decision import Decision
from stilts.study.plan import Plan
from stilts.study.stage import Stage


class Expected(Protocol):
    """How long a stage is expected to take."""

    def __call__(self, stage: Stage) -> float:
        """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a study knows of its stages.

    ``whole`` is the plan of every replicate that the study allows, ``plan`` the part of it that is asked for. ``done``
    are published keys, ``hopeless`` stages that failed or were pruned with all that starts from them.
    """

    plan: Plan
    whole: Plan
    done: Set[str]
    hopeless: Set[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What may be asked for now.

    ``left_s`` is what may still be begun within the ``budget`` (in words; "" without one), in seconds of stages, when
    all that is asked for is paid; ``spent_s`` what the study spent. ``lacks(seconds, stages)`` says what of the budget
    is too little for so much more, "" where it fits. ``slots`` is how many stages run at once. ``ends`` says why
    nothing more may be asked for, in a sentence; "" where more may.
    """

    expected: Expected
    left_s: float
    spent_s: float
    slots: int = 1
    budget: str = ""
    lacks: Callable[[float, int], str] = lambda seconds, stages: ""
    ends: str = ""


class LivePolicy(Protocol):
    """Decides by what is given and by what was decided before, which it is told; it writes nothing and starts nothing.

    Equal decisions before, view and situation give equal decisions now: so a resumed study decides as it would have.
    """

    def decide(self, view: Known, situation: Situation) -> Sequence[Decision]:
        """What is to be done now, each with its reason; nothing where no more is wanted, or not yet.

        It is asked whenever a worker is free and nothing is ready, so also while what was asked for is under way.
        """

    def took(self, decision: Decision) -> bool:
        """Hears what was decided, by itself or by others, in this run or an earlier one; whether it asks for more."""
