"""Reporter: how a stage says where it is, and is told whether to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from stilts.metrics.item_scores import ByLanguage


class Reply(StrEnum):
    """What a reporter answers."""

    CONTINUE = "continue"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What an evaluation on ``select`` gave, by task: scores (0 to 100), and each example's score by language.

    Small enough for a message: 4 bytes an example.
    """

    scores: Mapping[str, float]
    items: Mapping[str, ByLanguage] = field(default_factory=dict)


class Reporter(Protocol):
    """The channel between a running stage and whoever watches it.

    ``progress`` is called often and must return at once; ``evaluated`` is called after each evaluation
    on ``select`` with what that step's model scored and may answer STOP: the stage then ends
    as *pruned* and keeps its checkpoint. Neither may raise, except that ``progress`` raises KeyboardInterrupt where
    the run is to end: training then saves a checkpoint of that step and passes it on.
    """

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Says that ``step`` of ``steps`` are done (optimizer steps, or languages of an evaluation)."""

    def evaluated(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Reply:
        """Whether to go on after the evaluation at ``step``."""


class SilentReporter:
    """Hears everything, says nothing, never stops a stage."""

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Nothing."""

    def evaluated(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Reply:
        """Always CONTINUE."""
        return Reply.CONTINUE
