"""Whether every task that a row names is trained on: a share may be less than one step, or less than a hundredth."""

from __future__ import annotations

import numpy as np

from stilts.app.workspace import Workspace
from stilts.data.batches import mixture_schedule
from stilts.errors import StudyError
from stilts.study.chains import recipe_stage
from stilts.study.mixing import is_mixture_searched
from stilts.study.record import NONE_ROW
from stilts.tasks.encoder_config import family_of, read_config_json


def check_mixtures(workspace: Workspace) -> None:
    """Raises StudyError for a task of a row that no step of its training is for, and for masked LM without a head.

    A target of masked LM has to be scored by the head of the checkpoint; a row may train a new one, where the encoder's
    family has any.

    Of a searched mixture only what is fixed can be told; a proposal may give a task no share on purpose.
    """
    resolved, study = workspace.resolved, workspace.study
    for row, content in study.rows.items():
        if (
            row != NONE_ROW
            and not (is_mixture_searched(content) or content.merged_rows)
            and len(resolved.tasks(row)) > 1
        ):
            _check_row(workspace, row)
        if row != NONE_ROW:
            _check_lm_head(workspace, row)
    for column in study.columns:
        if resolved.target(column).task.kind.self_supervised and resolved.is_headless:
            raise StudyError(
                study.at(f"targets.{column}"),
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
            study.at(f"intermediates.{row}"),
            f"no step of its {stage.config.steps} is for {', '.join(idle)} (its share: {shares})",
            "The row would be named after a task that it never saw",
            "Train for more steps, give it a larger share, or leave it out",
        )


def _check_lm_head(workspace: Workspace, row: str) -> None:
    """Raises StudyError for masked LM with an encoder in a folder whose family has no head for it.

    One of the hub is fetched by the stages, which refuse it then.
    """
    resolved, folder = workspace.resolved, workspace.encoder_path
    if folder is None or not any(part.task.kind.self_supervised for part in resolved.parts(row)):
        return
    asked = f"encoder in {folder}"
    family = family_of(asked, read_config_json(asked, folder / "config.json"))
    if not family.lm_head:
        raise StudyError(
            workspace.study.at(f"intermediates.{row}"),
            f"{family.model_type} encoders have no masked-LM head",
            "They were pretrained otherwise: a new head would guess at random, whatever the encoder knows",
            "Leave masked LM out, or choose an encoder that was pretrained by it",
        )
