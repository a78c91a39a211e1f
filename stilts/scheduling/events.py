"""What a run tells whoever watches it, as plain values, and the report at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from stilts.search.work_source import Progress


class Happening(StrEnum):
    """What happened to a stage, or to the run (``INTERRUPTED``, whose ``stage_id`` is empty)."""

    STARTED = "started"
    DONE = "done"
    PRUNED = "pruned"
    FAILED = "failed"
    RETRIED = "retried"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEvent:
    """One thing that happened; ``message`` says why or how, ``seconds`` is the stage's own time."""

    happening: Happening
    stage_id: str = ""
    message: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStep:
    """Where a running stage is: ``step`` of ``steps`` (both 0 before its first word)."""

    stage_id: str
    step: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where the run is: counts of stages, and the step of each that runs."""

    progress: Progress
    running: tuple[StageStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What the run does before its first stage, and between stages: ``starting Ray``."""

    doing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a run on a cluster works with, in a line: ``store s3://bucket/stilts``."""

    line: str


Event: TypeAlias = StageEvent | Snapshot | Phase | Fact
OnEvent: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listens to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run did: stage ids by what became of them, errors of the failed ones, and its wall-clock seconds.

    ``executed`` counts the stages that did work now; the other done ones were found done.
    """

    done: tuple[str, ...]
    pruned: tuple[str, ...]
    failed: dict[str, str]
    executed: int
    seconds: float
    interrupted: bool = False
