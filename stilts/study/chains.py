"""The stages of a study: the recipe of a row, the fine-tuning and evaluation of a column on top of it.

Each is made once of a resolved study, whichever cell, seed or plan asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stilts.fingerprint import Json, canonical_json
from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.study.matching import seeded
from stilts.study.mixing import row_mixture, task_languages
from stilts.study.record import NONE_ROW
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_schema import ADAPTER, MERGE, MERGE_SCALE, TARGET
from stilts.study.search_space import Proposal
from stilts.study.settings import parent_adapter, train_config, usual_precision
from stilts.study.stage import EvaluateStage, MergedPart, MergeStage, MixturePart, TrainStage
from stilts.tasks.adapter import ParentAdapter


def mixture(resolved: ResolvedStudy, row: str, proposal: Proposal | None) -> tuple[tuple[str, float], ...]:
    """The tasks of a row's recipe with their weights; empty for ``none``, or where nothing is proposed yet."""
    params = proposal.params if proposal else None
    if resolved.study.rows[row].merged_rows:
        return tuple(_summed(resolved, merge_weights(resolved, row, proposal)).items())
    with resolved.study.blamed(f"intermediates.{row}"):
        found = row_mixture(
            row,
            resolved.study.rows[row],
            params,
            lambda task: resolved.num_examples(resolved.part(row, task).train),
        )
    return tuple(found.items())


def merge_weights(resolved: ResolvedStudy, row: str, proposal: Proposal | None) -> dict[str, float]:
    """The rows that a merge adds up with their weights; empty where nothing is proposed yet."""
    written = resolved.study.rows[row].merge
    if written is not None:
        return dict(written)
    drawn = proposal.params.get(MERGE) if proposal else None
    scale = float(str(proposal.params.get(MERGE_SCALE, 1.0))) if proposal else 1.0
    found = drawn if isinstance(drawn, dict) else {}
    return {name: round(scale * float(str(weight)), 4) for name, weight in found.items() if float(str(weight))}


def _summed(resolved: ResolvedStudy, weights: Mapping[str, float]) -> dict[str, float]:
    """The tasks that the rows of a merge were trained on: each by the weights of its rows and its shares there."""
    found: dict[str, float] = {}
    for row, weight in weights.items():
        for task, share in mixture(resolved, row, None):
            found[task] = found.get(task, 0.0) + weight * share
    return found


def recipe_line(resolved: ResolvedStudy, row: str, proposal: Proposal | None, seed: int) -> list[TrainStage]:
    """A row's recipe behind all that it starts from: pretraining, and the recipes that a merge adds up."""
    recipe = recipe_stage(resolved, row, proposal, seed)
    weights = merge_weights(resolved, row, proposal) if resolved.study.rows[row].merged_rows else {}
    line = [resolved.pretraining, *(recipe_stage(resolved, other, None, seed) for other in weights), recipe]
    return [stage for stage in line if stage is not None]


def recipe_stage(resolved: ResolvedStudy, row: str, proposal: Proposal | None, seed: int) -> TrainStage | None:
    """The stage that trains a row's recipe; None for ``none``."""
    if row == NONE_ROW:
        return None
    # By what it says and not by its number: the made-up recipes of a plan to come have numbers, too.
    params = canonical_json(proposal.params) if proposal else None
    return resolved.once(("recipe", row, params, seed), lambda: _recipe(resolved, row, proposal, seed))


def fine_tuning_stage(
    resolved: ResolvedStudy,
    column: str,
    parent: TrainStage | None,
    seed: int,
    proposal: Proposal | None = None,
    *,
    is_before: bool = False,
) -> TrainStage:
    """The stage that fine-tunes on a target, or (``is_before``) on what its task is learned after.

    What becomes of the adapter of a row's recipe, the column says; that of what comes before its own task is merged.
    """
    params = proposal.params if proposal else {}
    drawn = {name.removeprefix(TARGET): value for name, value in params.items() if name.startswith(TARGET)}
    learned = (column, is_before, tuple(sorted(drawn.items())))
    # Every row and seed learns the same there.
    part, config = resolved.once(("learned", *learned), lambda: _fine_tuned(resolved, column, is_before, drawn))
    start = None if parent is None else parent.stage_id
    treated = _parent_adapter(resolved, column, parent, is_first=is_before or resolved.target(column).before is None)

    def made() -> TrainStage:
        with resolved.study.blamed(f"targets.{column}.train"):
            return TrainStage(
                parent=start,
                encoder=resolved.encoder,
                mixture=(part,),
                config=config,
                seed=seed,
                parent_adapter=treated,
            )

    return resolved.once(("fine-tuning", *learned, start, seed), made)


def _parent_adapter(
    resolved: ResolvedStudy, column: str, parent: TrainStage | None, *, is_first: bool
) -> ParentAdapter | None:
    if parent is None or parent.config.adapter is None:
        return None
    study = resolved.study
    if not is_first:
        return ParentAdapter.MERGE
    return parent_adapter(study.file.defaults.target, study.columns[column].train)


def evaluation_stage(resolved: ResolvedStudy, column: str, parent: str | None) -> EvaluateStage:
    """The stage that scores a column with a parent's weights, or with the encoder as it is given."""
    return resolved.once(("evaluation", column, parent), lambda: _evaluation(resolved, column, parent))


def _merge(resolved: ResolvedStudy, row: str, proposal: Proposal | None, seed: int) -> MergeStage:
    recipes = {
        name: (recipe_stage(resolved, name, None, seed), weight)
        for name, weight in merge_weights(resolved, row, proposal).items()
    }
    merged = [
        MergedPart(stage_id=stage.stage_id, name=name, weight=weight)
        for name, (stage, weight) in sorted(recipes.items())
        if stage is not None
    ]
    return MergeStage(parent=resolved.base, encoder=resolved.encoder, merged=tuple(merged))


def _recipe(resolved: ResolvedStudy, row: str, proposal: Proposal | None, seed: int) -> TrainStage:
    study, params = resolved.study, proposal.params if proposal else {}
    content = study.rows[row]
    if content.merged_rows:
        return _merge(resolved, row, proposal, seed)
    parts = [
        replace(resolved.part(row, task, task_languages(content, task, params)), weight=weight)
        for task, weight in mixture(resolved, row, proposal)
    ]
    parts = [replace(part, config=_batched(part.config, params.get("batch_size"))) for part in parts]
    parts = [seeded(part, seed) for part in parts]
    with study.blamed(f"intermediates.{row}.train"):
        config = train_config(
            study.at(f"intermediates.{row}.train"),
            study.file.defaults.intermediate,
            content.train,
            precision=usual_precision(study),
            encoder=resolved.encoder,
            overrides=_searched(params),
            steps_per_epoch=lambda: sum(_steps_per_epoch(resolved, part) for part in parts),
        )
        return TrainStage(
            parent=resolved.base, encoder=resolved.encoder, mixture=tuple(parts), config=config, seed=seed
        )


def _fine_tuned(
    resolved: ResolvedStudy, column: str, is_before: bool, drawn: Mapping[str, Json]
) -> tuple[MixturePart, TrainConfig]:
    """What a column's fine-tuning learns and how."""
    study, target = resolved.study, resolved.target(column)
    part = target.before if is_before else target.part
    assert part is not None
    part = replace(part, config=_batched(part.config, drawn.get("batch_size")))
    with study.blamed(f"targets.{column}.train"):
        config = train_config(
            study.at(f"targets.{column}.train"),
            study.file.defaults.target,
            study.columns[column].train,
            precision=usual_precision(study),
            encoder=resolved.encoder,
            overrides=_searched(drawn),
            steps_per_epoch=lambda: _steps_per_epoch(resolved, part),
        )
    return part, config


def _evaluation(resolved: ResolvedStudy, column: str, parent: str | None) -> EvaluateStage:
    study, target = resolved.study, resolved.target(column)
    trained = study.columns[column].train.precision or study.file.defaults.target.precision
    return EvaluateStage(
        parent=parent,
        encoder=resolved.encoder,
        task=target.task,
        config=target.config,
        precision=Precision(trained or usual_precision(study)),
        items=target.items,
    )


def _steps_per_epoch(resolved: ResolvedStudy, part: MixturePart) -> float:
    return resolved.num_examples(part.train) / part.config.batch_size


def _searched(drawn: Mapping[str, Json]) -> dict[str, Any]:
    """What drawn values say of a stage's training; a batch is a setting of its tasks."""
    training = ("learning_rate", "steps", "epochs", "warmup_frac")
    return {name: value for name, value in drawn.items() if name in training or name.startswith(ADAPTER)}


def _batched(config: TaskConfig, batch: Json) -> TaskConfig:
    return config if batch is None else replace(config, batch_size=int(str(batch)))
