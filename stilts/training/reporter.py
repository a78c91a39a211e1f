"""Reporter: how a stage says where it is, and is told whether to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Decision(StrEnum):
    """What a reporter answers."""

    CONTINUE = "continue"
    STOP = "stop"


class Reporter(Protocol):
    """The channel between a running stage and whoever watches it.

    ``progress`` is called often and must return at once; ``evaluated`` is called after each evaluation
    on ``select`` with that step's scores (0 to 100, by task) and may answer STOP: the stage then ends
    as *pruned* and keeps its checkpoint. Neither may raise.
    """

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Says that ``step`` of ``steps`` are done (optimizer steps, or languages of an evaluation)."""

    def evaluated(self, stage_id: str, step: int, steps: int, scores: Mapping[str, float]) -> Decision:
        """Whether to go on after the evaluation at ``step``."""


class SilentReporter:
    """Hears everything, says nothing, never stops a stage."""

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Nothing."""

    def evaluated(self, stage_id: str, step: int, steps: int, scores: Mapping[str, float]) -> Decision:
        """Always CONTINUE."""
        return Decision.CONTINUE


@dataclass(slots=True)
class RecordingReporter:
    """Keeps what it hears; stops a stage at the evaluation of step ``stop_at`` or later, where that is set."""

    stop_at: int | None = None
    steps_seen: list[tuple[str, int, int]] = field(default_factory=list)
    evaluations: list[tuple[str, int, Mapping[str, float]]] = field(default_factory=list)

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Appends to ``steps_seen``."""
        self.steps_seen.append((stage_id, step, steps))

    def evaluated(self, stage_id: str, step: int, steps: int, scores: Mapping[str, float]) -> Decision:
        """Appends to ``evaluations``; STOP from ``stop_at`` on."""
        self.evaluations.append((stage_id, step, scores))
        stop = self.stop_at is not None and step >= self.stop_at
        return Decision.STOP if stop else Decision.CONTINUE
