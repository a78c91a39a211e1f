"""A train stage, from its parent's weights to a published artifact."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import torch

from stilts.execute.fitting import keep_rows, keep_took, known_rows
from stilts.execute.inputs import preparation, start_weights
from stilts.execute.origins import start_of
from stilts.fingerprint import Json, plain
from stilts.kinds.learning import add_heads, learning_of
from stilts.kinds.lengths import lengths_of
from stilts.kinds.prepare import Preparation
from stilts.kinds.scorer import Deal, Scorer
from stilts.models.device_memory import begin_peak, peak_gib
from stilts.models.model import (
    TOKENIZER_FILE,
    StiltsModel,
    fresh_model,
    load_model,
    no_lm_head,
    save_adapter,
    save_model,
)
from stilts.models.transfer import Transfer
from stilts.models.weight_folders import Weights
from stilts.store.artifact_store import ArtifactStore, Lease
from stilts.study.stage import MixturePart, TrainStage
from stilts.tasks.adapter import ParentAdapter
from stilts.tasks.toy import TOY_ENCODER
from stilts.training.checkpoint import TrainState
from stilts.training.device import autocast, execution_record, set_up
from stilts.training.feed import TaskData, Training
from stilts.training.leading import Leader, led
from stilts.training.loop import check_converged, train
from stilts.training.rank_group import of_rank
from stilts.training.reporter import Evaluation, Reporter
from stilts.training.run_config import RunConfig
from stilts.training.selection import select_evaluation


def run_train(stage: TrainStage, store: ArtifactStore, run: RunConfig, reporter: Reporter, lease: Lease) -> bool:
    """Trains and publishes the stage; True when a reporter stopped it, which publishes nothing."""
    with led(run) as leader:
        return _train(stage, store, of_rank(run, 0), reporter, lease, leader)


def _train(
    stage: TrainStage, store: ArtifactStore, run: RunConfig, reporter: Reporter, lease: Lease, leader: Leader | None
) -> bool:
    started = time.time()
    device = set_up(run, stage.config.precision)
    begin_peak(device)
    weights = start_weights(stage, store, run)
    prepared = preparation(stage, weights.base if weights is not None else None, run)
    model, transferred = start_model(stage, weights)
    deal = None if leader is None else leader.deal(stage.config.precision)
    training = training_of(
        stage,
        prepared,
        run,
        reporter,
        evaluate=lambda now: select_evaluation(_scorer(now, stage, prepared, device, run, deal), stage, prepared),
        save=lambda checkpoint: store.save_progress(stage.stage_id, checkpoint, lease, consume=True),
        resume=store.load_progress(stage.stage_id),
        known=known_rows(stage, store, run),
    )
    if leader is None:
        state, stopped = train(model, training)
    else:
        make = partial(_start, stage, weights)
        state, stopped = leader.train(model, training, make)
        model = model if stopped else leader.whole(model, make)
    keep_rows(stage, state.micro_batch, store, run)
    if not stopped:
        check_converged(model, stage.config)
        result = _result(stage, state, transferred, started, run)
        _publish(stage, model, weights, result, store, run, lease)
        if training.resume is None:
            encoded = {data.task.learner: data.train for data in training.tasks}
            keep_took(stage, time.time() - started, lambda task, *_: lengths_of([encoded[task.learner]]), store, run)
    return stopped


def training_of(
    stage: TrainStage,
    prepared: Preparation,
    run: RunConfig,
    reporter: Reporter,
    *,
    evaluate: Callable[[StiltsModel], Evaluation],
    save: Callable[[Path], None],
    resume: Path | None = None,
    known: Mapping[str, int] = MappingProxyType({}),
) -> Training:
    """What the loop needs of a stage, its data read and encoded; ``known`` are the rows at once of ``fitting.py``."""
    tasks = [_task_data(part, prepared) for part in stage.mixture]
    most = {one.task.learner: min(_rows_of_step(one), run.micro_batch or _rows_of_step(one)) for one in tasks}
    return Training(
        stage_id=stage.stage_id,
        config=stage.config,
        seed=stage.seed,
        tasks=tasks,
        vocabulary=prepared.vocabulary(),
        run=run,
        reporter=reporter,
        evaluate=evaluate,
        save=save,
        resume=resume,
        fits={learner: rows for learner, rows in known.items() if rows < most[learner]},
    )


def _rows_of_step(data: TaskData) -> int:
    return data.config.batch_size * data.train.rows_per_unit


def start_model(stage: TrainStage, weights: Weights | None) -> tuple[StiltsModel, Transfer]:
    """The model with its parent's weights, a new adapter if it has one, and one new head per task, from its seed."""
    hidden, attention = stage.config.dropout, stage.config.attention_dropout
    if weights is None:
        model = fresh_model(
            {"model_type": "xlm-roberta", **TOY_ENCODER}, stage.seed, dropout=hidden, attention_dropout=attention
        )
        transferred = Transfer(loaded=0, fresh=("encoder",))
    else:
        stacked = stage.parent_adapter is ParentAdapter.STACK
        model, transferred = load_model(weights, dropout=hidden, attention_dropout=attention, stacked=stacked)
    if stage.config.adapter is not None:
        model.add_adapter(stage.config.adapter, stage.seed)
    tasks = [part.task for part in stage.mixture]
    heads = add_heads(model, tasks, stage.seed)
    uses_lm_head = any(learning_of(task.kind).uses_lm_head for task in tasks)
    if uses_lm_head and model.lm_head is None:
        raise no_lm_head(model.family.model_type)
    if not uses_lm_head and model.lm_head is not None:
        for parameter in model.lm_head.parameters():
            parameter.requires_grad_(False)
    return model, Transfer(loaded=transferred.loaded, fresh=(*transferred.fresh, *(f"head.{name}" for name in heads)))


def _start(stage: TrainStage, weights: Weights | None) -> StiltsModel:
    return start_model(stage, weights)[0]


def _task_data(part: MixturePart, prepared: Preparation) -> TaskData:
    encoded = prepared.encoded_all(part.task, part.train, **part.config.lengths)
    return TaskData(task=part.task, weight=part.weight, config=part.config, train=encoded)


def _scorer(
    model: StiltsModel,
    stage: TrainStage,
    prepared: Preparation,
    device: torch.device,
    run: RunConfig,
    deal: Deal | None,
) -> Scorer:
    return Scorer(
        model=model,
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=run.tokens_at_once,
        autocast=autocast(device, stage.config.precision),
        deal=deal,
    )


def _result(
    stage: TrainStage, state: TrainState, transferred: Transfer, started: float, run: RunConfig
) -> dict[str, Json]:
    return {
        "kind": stage.kind.value,
        "stage_id": stage.stage_id,
        "name": stage.name,
        "parent": stage.parent,
        "started": started,
        "ended": time.time(),
        "seconds": state.seconds,
        "steps": state.step,
        "kept_step": state.best_step if state.best_step is not None else state.step,
        "examples": plain(state.examples),
        "tokens": state.tokens,
        "curve": plain(state.curve),
        "select": plain(state.select),
        "data": {view.digest: view.payload() for part in stage.mixture for view in (*part.train, *part.select)},
        "transfer": {"loaded": transferred.loaded, "fresh": list(transferred.fresh)},
        "peak_memory_gib": peak_gib(torch.device(run.device)),
        "execution": {
            **execution_record(run),
            **({"halved_to": plain(state.micro_batch)} if state.micro_batch else {}),
        },
    }


def _publish(
    stage: TrainStage,
    model: StiltsModel,
    start: Weights | None,
    result: dict[str, Json],
    store: ArtifactStore,
    run: RunConfig,
    lease: Lease,
) -> None:
    with tempfile.TemporaryDirectory(dir=run.scratch_dir, prefix="stilts-artifact-") as name:
        if stage.config.adapter is None:
            save_model(model, Path(name), tokenizer=_tokenizer(start))
        else:
            below = start_of(stage, store)
            adapters: list[Json] = list(below.adapters)
            on: dict[str, Json] = {"encoder": stage.encoder.payload(), "base": below.base, "adapters": adapters}
            save_adapter(model, Path(name), on)
        store.publish(stage.stage_id, Path(name), payload=stage.payload, result=result, lease=lease)
    store.drop_progress(stage.stage_id)


def _tokenizer(start: Weights | None) -> bytes:
    if start is not None:
        return (start.base / TOKENIZER_FILE).read_bytes()
    from stilts.data.toy.tokenizer import toy_tokenizer_json

    return toy_tokenizer_json().encode()
