"""Whether every task that a row names is trained on: a share may be less than one step, or less than a hundredth."""

from __future__ import annotations

import numpy as np

from stilts.app.workspace import Workspace
from stilts.data.batches import mixture_schedule
from stilts.errors import StudyError
from stilts.study.chains import recipe_stage
from stilts.study.mixing import is_mixture_searched
from stilts.study.record import NONE_ROW


def check_mixtures(workspace: Workspace) -> None:
    """Raises StudyError for a task of a row that no step of its training is for, and for a masked-LM target without a
    head to score.

    Of a searched mixture only what is fixed can be told; a proposal may give a task no share on purpose.
    """
    resolved, study = workspace.resolved, workspace.study
    for row, content in study.rows.items():
        if row != NONE_ROW and not is_mixture_searched(content) and len(resolved.tasks(row)) > 1:
            _check_row(workspace, row)
    for column in study.columns:
        if resolved.is_headless and resolved.target(column).task.kind.self_supervised:
            raise StudyError(
                f"{study.path}: targets.{column}",
                "the encoder's checkpoint holds no masked-LM head",
                "A new head would guess at random, whatever the encoder knows",
                "Leave this target out, or use a checkpoint that was saved with its head",
            )


def _check_row(workspace: Workspace, row: str) -> None:
    resolved, study = workspace.resolved, workspace.study
    stage = recipe_stage(resolved, row, None, 0)
    assert stage is not None, "only none has no recipe"
    weights = {part.task.name: part.weight for part in stage.mixture}
    steps = np.bincount(mixture_schedule(list(weights.values()), stage.config.steps, 0), minlength=len(weights))
    given = dict(zip(weights, steps.tolist(), strict=True))
    idle = [task for task in resolved.tasks(row) if not given.get(task)]
    if idle:
        shares = ", ".join(f"{task} {weights.get(task, 0.0):.2g}" for task in idle)
        raise StudyError(
            f"{study.path}: intermediates.{row}",
            f"no step of its {stage.config.steps} is for {', '.join(idle)} (its share: {shares})",
            "The row would be named after a task that it never saw",
            "Train for more steps, give it a larger share, or leave it out",
        )
