"""StageTrainable: a Ray Tune trial is one stage, run to its end in one step of a warm actor."""

from __future__ import annotations

import base64
import pickle
from typing import Any

from ray import tune

from stilts.errors import StageFailedError
from stilts.scheduling.attempt import Executor, attempt, interrupted
from stilts.scheduling.board import BoardReporter
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.training.crew import end_crew


def to_config(stage: Stage, held: Resources, node_id: str) -> dict[str, Any]:
    """The trial's config: the stage, opaque to Tune (it looks for search spaces), what it holds and where."""
    opaque = base64.b64encode(pickle.dumps(stage)).decode()
    return {"stage_id": stage.stage_id, "stage": opaque, "cpus": held.cpus, "gpus": held.gpus, "node_id": node_id}


class StageTrainable(tune.Trainable):
    """Runs the stage in its config; ``reset_config`` gives the same process the next one."""

    # Tune calls it with what ``with_parameters`` was given.
    def setup(  # type: ignore[override]
        self, config: dict[str, Any], *, execute: Executor, board: Any
    ) -> None:
        """Keeps what all stages of this process share."""
        self._execute = execute
        self._reporter = BoardReporter(board)

    def step(self) -> dict[str, Any]:
        """The outcome of the stage (``attempt.py``); raises where this process should not be used again."""
        stage: Stage = pickle.loads(base64.b64decode(self.config["stage"]))
        try:
            held = Resources(cpus=self.config["cpus"], gpus=self.config["gpus"])
            outcome = attempt(self._execute.holding(held), stage, self._reporter)
        except KeyboardInterrupt:  # the run ends; the stage has saved its checkpoint
            outcome = interrupted(stage)
        finally:
            self._reporter.left(stage.stage_id)
        if outcome["spoiled"]:
            raise StageFailedError(f'stage "{stage.stage_id}"', str(outcome["error"]))
        return {**outcome, "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Whether this process can take the next stage: always."""
        return True

    def cleanup(self) -> None:
        """Ends the processes that worked on stages beside this one."""
        end_crew()
