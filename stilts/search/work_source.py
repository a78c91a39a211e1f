"""WorkSource: what the scheduler asks of whoever knows the plan. Ray-free, so that a study can run without it.

The one real implementation is ``stilts.search.conductor.Conductor``. All methods are called from one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from stilts.fingerprint import Json
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.training.reporter import Evaluation


class NoStage(StrEnum):
    """Why no stage is handed out: ``WAIT`` until a running one ends, or ``FINISHED`` for good."""

    WAIT = "wait"
    FINISHED = "finished"


# Whether a stage that holds so much could begin now: asked of waiting stages, the most important first.
Fits: TypeAlias = Callable[[Resources], bool]


def anything(held: Resources) -> bool:
    """A ``Fits`` for whoever runs one stage at a time."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a study is, in stages; ``done`` counts pruned ones too. ``seconds_left`` is None where unknown.

    ``coming`` of the total are not planned yet: proposals still to be drawn, and what will confirm the chosen ones.
    """

    total: int
    done: int
    running: int
    failed: int
    seconds_left: float | None = None
    coming: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the steps of a running stage say: seconds for all of them, and for those that are left."""

    whole_s: float
    left_s: float


class WorkSource(Protocol):
    """Hands ready stages out and hears what became of them.

    Every stage handed out is answered by exactly one of ``finished`` or ``failed(will_retry=False)``, with any number
    of ``failed(will_retry=True)`` before it: then the scheduler itself runs the stage again and the source keeps it
    as running. On an interrupt, stages in flight get no answer.
    """

    @property
    def classes(self) -> Sequence[Resources]:
        """All that some stage may hold while it runs."""

    def next_stage(self, fits: Fits = anything) -> Stage | NoStage:
        """A ready stage that fits and that nobody has been given yet, or why there is none now."""

    def finished(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        """The stage ended: ``{"state": "done" | "pruned", "stage_id", "executed": bool, "seconds": float}``."""

    def failed(self, stage_id: str, error: str, *, will_retry: bool) -> bool:
        """The stage failed; ``error`` reads ``<exception class>: <message>``.

        Whether it is missed: not where another driver did meanwhile all that it was for.
        """

    def resources(self, stage: Stage) -> Resources:
        """What the stage holds while it runs."""

    def stops(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> bool:
        """Whether a running stage stops after the evaluation at ``step``."""

    def progress(self, running: Mapping[str, Measured] | None = None) -> Progress:
        """Counts of stages, and the seconds that the rest is expected to take, by what running stages were seen to."""
