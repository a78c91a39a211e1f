"""The training loop: one stage from its first step to its last, whatever happens in between.

A step takes one batch of one task: which task and which examples are functions of (seed, step). Its loss is the sum
over the *global* batch divided by its label count, so cutting it into micro-batches changes rounding only (DESIGN rule
1). Read ``train`` first; ``_step`` is one optimizer step.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stilts.data.batches import BatchOrder, micro_batches, mixture_schedule
from stilts.data.collate import Batch, Vocabulary, collate
from stilts.data.counter_hash import keys
from stilts.data.encoded import Encoded
from stilts.errors import DivergedError
from stilts.kinds.learning import learning_of
from stilts.models.model import StiltsModel
from stilts.seeds import derive_seed
from stilts.study.config import Keep, TaskConfig, TrainConfig
from stilts.tasks.task import Task
from stilts.training.checkpoint import TrainState, read_checkpoint, write_checkpoint
from stilts.training.device import autocast
from stilts.training.reporter import Evaluation, Reply, Reporter
from stilts.training.run_config import RunConfig
from stilts.training.schedule import learning_rate

# Points of the loss curve that are kept: enough to see a shape, few enough for any tracker.
_CURVE_POINTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskData:
    """One task of the mixture with its encoded training data."""

    task: Task
    weight: float
    config: TaskConfig
    train: Encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What ``train`` needs beside the model: all values, no store.

    ``evaluate`` scores each task on its ``select`` views for the model as it is. ``save`` takes a folder with
    a checkpoint and keeps it; ``resume`` is the folder of the last one kept, if any.
    """

    stage_id: str
    config: TrainConfig
    seed: int
    tasks: Sequence[TaskData]
    vocabulary: Vocabulary
    run: RunConfig
    reporter: Reporter
    evaluate: Callable[[StiltsModel], Evaluation]
    save: Callable[[Path], None]
    resume: Path | None = None


def train(model: StiltsModel, training: Training) -> tuple[TrainState, bool]:
    """Trains to the last step and leaves the kept weights in the model; the flag says whether a reporter stopped it.

    A stopped stage has saved a checkpoint at the step it stopped at, and so has one whose reporter interrupts it.
    """
    device = torch.device(training.run.device)
    model.to(device)
    optimizer = make_optimizer(model, training.config)
    state = read_checkpoint(training.resume, model, optimizer) if training.resume else TrainState()
    feed = _Feed(training)
    started, saved = time.monotonic() - state.seconds, time.monotonic()
    stopped = False
    while state.step < training.config.steps and not stopped:
        _step(model, optimizer, feed, state)
        state.seconds = time.monotonic() - started
        try:
            training.reporter.progress(training.stage_id, state.step, training.config.steps)
        except KeyboardInterrupt:  # the run is to end: nothing that was trained is lost
            _save(model, optimizer, training, state)
            raise
        if _evaluation_is_due(training.config, state.step):
            stopped = _evaluate(model, training, state) is Reply.STOP
        if stopped or time.monotonic() - saved >= training.run.checkpoint_every_s:
            _save(model, optimizer, training, state)
            saved = time.monotonic()
    if training.config.keep is Keep.BEST and state.best_weights is not None and not stopped:
        model.load_state_dict(state.best_weights)
    return state, stopped


def make_optimizer(model: StiltsModel, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over all parameters; biases and layer norms are not decayed."""
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.learning_rate,
        betas=(config.adam_beta1, config.adam_beta2),
        eps=config.adam_epsilon,
        fused=True,
    )


class _Feed:
    """Which task and which micro-batches each step sees."""

    def __init__(self, training: Training) -> None:
        self.training = training
        weights = [data.weight for data in training.tasks]
        self.schedule = mixture_schedule(weights, training.config.steps, training.seed)
        self.lengths = [data.train.unit_lengths for data in training.tasks]
        self.orders = [
            BatchOrder(lengths, data.config.batch_size, derive_seed("order", training.seed, data.task.learner))
            for lengths, data in zip(self.lengths, training.tasks, strict=True)
        ]
        # Batches that each task has had before each step.
        before = [np.cumsum(self.schedule == i) - (self.schedule == i) for i in range(len(weights))]
        self.number = np.asarray(before)[self.schedule, np.arange(len(self.schedule))]
        self.dropout_seed = derive_seed("dropout", training.seed)
        self.mask_seed = derive_seed("mask", training.seed)

    def batches(self, step: int) -> tuple[TaskData, list[Batch]]:
        """The task of a step and its global batch, cut into micro-batches."""
        index = int(self.schedule[step])
        data = self.training.tasks[index]
        units = self.orders[index].batch(int(self.number[step]))
        learning = learning_of(data.task.kind)
        size = None if learning.whole_batch else self._units_at_once(data)
        pieces = micro_batches(units, self.lengths[index], size)
        batches = [collate(data.train, piece, self.training.vocabulary) for piece in pieces]
        if learning.alter is not None:
            how = (self.training.vocabulary, data.config, self.mask_seed, step)
            batches = [learning.alter(batch, *how) for batch in batches]
        return data, batches

    def dropout_keys(self, step: int, batch: Batch) -> torch.Tensor:
        """(rows,) int32: one key per row, from (seed, step, row)."""
        return torch.from_numpy(keys(self.dropout_seed, step, batch.rows).view(np.int32))

    def _units_at_once(self, data: TaskData) -> int | None:
        rows = self.training.run.micro_batch
        return None if rows is None else max(1, rows // data.train.rows_per_unit)


def _step(model: StiltsModel, optimizer: torch.optim.Optimizer, feed: _Feed, state: TrainState) -> None:
    training = feed.training
    device = torch.device(training.run.device)
    rate = learning_rate(training.config, state.step)
    for group in optimizer.param_groups:
        group["lr"] = rate
    data, batches = feed.batches(state.step)
    learning = learning_of(data.task.kind)
    labels = sum(map(learning.label_count, batches))
    model.train()
    total = 0.0
    for batch in batches:
        model.stream.keys = feed.dropout_keys(state.step, batch).to(device)
        with autocast(device, training.config.precision)():
            loss = learning.loss(model, data.task, data.config, batch.to(device)) / max(1, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
        state.tokens += int(batch.mask.sum())
    model.stream.keys = None
    if not math.isfinite(total):  # the loss was read above: no other wait for the device
        before = ", ".join(f"{loss:.3g} at step {step}" for step, loss, _ in state.curve[-3:])
        told = f"; before it was {before}" if before else ""
        raise _diverged(f"the loss of {data.task.learner} is {total} at step {state.step + 1}{told}", rate, state.step)
    torch.nn.utils.clip_grad_norm_(model.parameters(), training.config.clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    state.step += 1
    seen = sum(len(batch.units) for batch in batches)
    state.examples[data.task.learner] = state.examples.get(data.task.learner, 0) + seen
    if state.step % max(1, training.config.steps // _CURVE_POINTS) == 0 or state.step == training.config.steps:
        state.curve.append((state.step, total, rate))


def check_converged(model: StiltsModel, config: TrainConfig) -> None:
    """Raises DivergedError where a weight is NaN or infinite: the last step of all may be the one that went too far."""
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise _diverged(f"the weights {name} are no numbers any more", config.learning_rate, config.steps)


def _diverged(found: str, rate: float, steps_done: int) -> DivergedError:
    return DivergedError(
        f"training at learning rate {rate:g}",
        found,
        "From there on every weight and every score is NaN"
        if steps_done
        else "No step was taken before: the weights that it starts from, or the data, bring that about",
        "Lower learning_rate or lengthen warmup_frac; a stage that diverges once does so every time"
        if steps_done
        else "Look at the encoder's weights and at the examples that validate shows",
    )


def _evaluation_is_due(config: TrainConfig, step: int) -> bool:
    return config.evaluate_every > 0 and (step % config.evaluate_every == 0 or step == config.steps)


def _evaluate(model: StiltsModel, training: Training, state: TrainState) -> Reply:
    evaluation = training.evaluate(model)
    scores = dict(evaluation.scores)
    if not scores:  # masked LM on running text, say, has nothing to choose by
        return Reply.CONTINUE
    state.select.append((state.step, scores))
    mean = sum(scores.values()) / len(scores)
    if training.config.keep is Keep.BEST and (state.best_score is None or mean > state.best_score):
        state.best_step, state.best_score = state.step, mean
        state.best_weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    return training.reporter.evaluated(training.stage_id, state.step, training.config.steps, evaluation)


def _save(model: StiltsModel, optimizer: torch.optim.Optimizer, training: Training, state: TrainState) -> None:
    with tempfile.TemporaryDirectory(dir=training.run.scratch_dir, prefix="stilts-checkpoint-") as folder:
        write_checkpoint(Path(folder), model, optimizer, state)
        training.save(Path(folder))
