"""An evaluate stage: one model scored on one target, language by language, each published as it is done."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from stilts.data.load import is_kept_back
from stilts.errors import InputError
from stilts.execute.fitting import keep_took
from stilts.execute.inputs import preparation, start_weights
from stilts.execute.no_answer import no_answer_threshold
from stilts.execute.searching import Searches, calibration
from stilts.execute.summarise import write_summary
from stilts.fingerprint import Json, plain
from stilts.kinds.learning import heads_of, learning_of
from stilts.kinds.lengths import lengths_of
from stilts.kinds.prepare import Preparation
from stilts.kinds.scored import Scored, by_threshold, truths_of
from stilts.kinds.scorer import Scorer
from stilts.ledger.examples import (
    EXAMPLES_FILE,
    ITEM_COLUMN,
    NO_ANSWER_COLUMN,
    PREDICTION_COLUMN,
    SPAN_COLUMN,
    TRUTH_COLUMN,
    write_examples,
)
from stilts.models.model import StiltsModel, load_model, no_lm_head
from stilts.models.transfer import Transfer
from stilts.models.weight_folders import Weights
from stilts.robustness.stress import score_stressed
from stilts.store.artifact_store import ArtifactStore, Lease
from stilts.study.config import TaskConfig
from stilts.study.stage import EvaluateItem, EvaluateStage
from stilts.study.workload import TextLengths
from stilts.tasks.task import Task
from stilts.tasks.view import DataView
from stilts.training.device import autocast, execution_record, set_up
from stilts.training.leading import Leader, led
from stilts.training.rank_group import of_rank
from stilts.training.reporter import Reporter
from stilts.training.run_config import RunConfig
from stilts.training.selection import column_sums, score_view


def run_evaluate(
    stage: EvaluateStage,
    store: ArtifactStore,
    run: RunConfig,
    reporter: Reporter,
    lease: Lease,
    missing: frozenset[str],
) -> None:
    """Scores and publishes those (use, language) of the stage whose keys are in ``missing``."""
    with led(run) as leader:
        _evaluate(stage, store, of_rank(run, 0), reporter, lease, missing, leader)


def _evaluate(
    stage: EvaluateStage,
    store: ArtifactStore,
    run: RunConfig,
    reporter: Reporter,
    lease: Lease,
    missing: frozenset[str],
    leader: Leader | None,
) -> None:
    begun = time.time()
    scorer, prepared = _scorer(stage, store, run, leader)
    searches = Searches(stage=stage, store=store, scorer=scorer, prepared=prepared)

    # The item that a threshold was just chosen on need not be predicted twice.
    @lru_cache(maxsize=1)
    def score(number: int) -> tuple[list[Any], Scored, float]:
        started = time.time()
        item = stage.items[number]
        aided = replace(scorer, search=searches.of(item))
        if item.stress is not None:
            return *score_stressed(aided, stage.task, stage.config, item, prepared), started
        examples, _, scored = score_view(aided, stage.task, stage.config, item.view, prepared)
        return examples, scored, started

    threshold = no_answer_threshold(stage, store, score)
    for number, (key, item) in enumerate(zip(stage.outputs, stage.items, strict=True)):
        if key in missing:
            examples, scored, started = score(number)
            if threshold is not None and scored.spans is not None:
                scored = by_threshold(scored.spans, stage.task, truths_of(examples), threshold)
            result = {**_result(stage, item, scored, started, run), **calibration(item, scored)}
            if threshold is not None:
                result["no_answer_threshold"] = threshold
            _publish(stage, key, item, examples, scored, result, store, run, lease)
        reporter.progress(stage.stage_id, number + 1, len(stage.items))
    write_summary(stage, store)
    if run.cache_dir is not None and missing == set(stage.outputs):
        keep_took(stage, time.time() - begun, partial(_lengths, prepared), store, run)


def _lengths(prepared: Preparation, task: Task, config: TaskConfig, views: Sequence[DataView]) -> TextLengths:
    return lengths_of([prepared.encoded(task, view, **config.lengths) for view in views])


def _scorer(
    stage: EvaluateStage, store: ArtifactStore, run: RunConfig, leader: Leader | None
) -> tuple[Scorer, Preparation]:
    """The stage's model, ready to score, and its tokenizer and data; InputError where there is no model to score."""
    device = set_up(run, stage.precision)
    weights = start_weights(stage, store, run)
    if weights is None:
        raise InputError(
            f"evaluate stage {stage.stage_id}",
            "it starts from random weights",
            "There is nothing to score",
            "Give it a parent stage or a pretrained encoder",
        )
    prepared = preparation(stage, weights.base, run)
    if leader is not None:
        leader.load(partial(_load, stage, weights), stage.precision)
    model, transferred = _load_model(stage, weights)
    if learning_of(stage.task.kind).uses_lm_head and model.lm_head is None:
        raise no_lm_head(model.family.model_type)
    if learning_of(stage.task.kind).uses_lm_head and "lm_head" in transferred.fresh:
        raise InputError(
            f'target "{stage.task.name}" with the encoder in {weights.base.name}',
            "its checkpoint holds no masked-LM head",
            "A new head would guess at random, whatever the encoder knows",
            "Leave this target out, or use a checkpoint that was saved with its head",
        )
    scorer = Scorer(
        model=model.to(device),
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=run.tokens_at_once,
        autocast=autocast(device, stage.precision),
        deal=None if leader is None else leader.deal(stage.precision),
    )
    return scorer, prepared


def _load_model(stage: EvaluateStage, weights: Weights) -> tuple[StiltsModel, Transfer]:
    return load_model(weights, heads_of([stage.task]) if stage.task.is_trained else {})


def _load(stage: EvaluateStage, weights: Weights) -> StiltsModel:
    return _load_model(stage, weights)[0]


def _result(
    stage: EvaluateStage, item: EvaluateItem, scored: Scored, started: float, run: RunConfig
) -> dict[str, Json]:
    measure, sums, ended = stage.task.measure, column_sums(stage.task, scored), time.time()
    return {
        "kind": stage.kind.value,
        "stage_id": stage.stage_id,
        "parent": stage.parent,
        "task": stage.task.name,
        "metric": measure.name,
        "use": item.use.value,
        "language": item.view.language,
        "score": float(measure.score(sums)) if measure.is_defined(sums) else None,
        "parts": {} if is_kept_back(item.view) else plain({**measure.parts(sums), **scored.beside}),
        "num_items": len(scored.rows),
        "chance": scored.chance,
        "stats": plain(sums),
        "started": started,
        "ended": ended,
        "seconds": ended - started,
        "execution": execution_record(run),
    }


def _publish(
    stage: EvaluateStage,
    key: str,
    item: EvaluateItem,
    examples: Sequence[Any],
    scored: Scored,
    result: dict[str, Json],
    store: ArtifactStore,
    run: RunConfig,
    lease: Lease,
) -> None:
    with tempfile.TemporaryDirectory(dir=run.scratch_dir, prefix="stilts-artifact-") as name:
        write_examples(Path(name) / EXAMPLES_FILE, example_columns(stage, examples, scored))
        payload = {**stage.payload, "use": item.use.value, "view": item.view.payload(), **item.beside}
        store.publish(key, Path(name), payload=payload, result=result, lease=lease)


def example_columns(stage: EvaluateStage, examples: Sequence[Any], scored: Scored) -> dict[str, Any]:
    """What is kept of each example, by column: source item, the metric's statistics, prediction and right answer.

    There is no column ``truth`` where the task has no right answers (masked LM). Where questions may have no answer,
    the best span, and the logits by which "no answer" beats it, stand beside what the threshold made of them.
    """
    columns: dict[str, Any] = {ITEM_COLUMN: [example.item for example in examples]}
    for number, name in enumerate(stage.task.measure.columns):
        columns[name] = scored.rows[:, number]
    columns[PREDICTION_COLUMN] = list(scored.predictions)
    if scored.spans is not None:
        columns[SPAN_COLUMN] = list(scored.spans.texts)
        columns[NO_ANSWER_COLUMN] = scored.spans.differences
    truths = scored.truths or [example.truth(place) for place, example in enumerate(examples)]
    if None not in truths:
        columns[TRUTH_COLUMN] = truths
    return columns
