"""A reporter that keeps what it hears."""

from __future__ import annotations

from dataclasses import dataclass, field

from stilts.training.reporter import Evaluation, Reply


@dataclass(slots=True)
class RecordingReporter:
    """Keeps what it hears; stops a stage at the evaluation of step ``stop_at`` or later, where that is set."""

    stop_at: int | None = None
    steps_seen: list[tuple[str, int, int]] = field(default_factory=list)
    evaluations: list[tuple[str, int, Evaluation]] = field(default_factory=list)

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Appends to ``steps_seen``."""
        self.steps_seen.append((stage_id, step, steps))

    def evaluated(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Reply:
        """Appends to ``evaluations``; STOP from ``stop_at`` on."""
        self.evaluations.append((stage_id, step, evaluation))
        stop = self.stop_at is not None and step >= self.stop_at
        return Reply.STOP if stop else Reply.CONTINUE
