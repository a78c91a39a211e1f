"""The training loop: one stage from its first step to its last, whatever happens in between.

A step takes one batch of one task: which task and which examples are functions of (seed, step). Its loss is the sum
over the *global* batch divided by its label count, so cutting it into micro-batches changes rounding only (DESIGN rule
1). Read ``train`` first; ``_step`` is one optimizer step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from stilts.data.batches import BatchOrder, Units, dealt, micro_batches, mixture_schedule
from stilts.data.collate import Batch, Vocabulary, collate
from stilts.data.counter_hash import keys
from stilts.data.encoded import Encoded
from stilts.data.one_ahead import OneAhead
from stilts.errors import DivergedError, NoMemoryError
from stilts.kinds.learning import learning_of
from stilts.models.device_memory import give_back, is_out_of_memory
from stilts.models.model import StiltsModel, load_trained, trained_tensors
from stilts.seeds import derive_seed
from stilts.study.config import Keep, TaskConfig, TrainConfig
from stilts.tasks.task import Task
from stilts.training.checkpoint import TrainState, read_checkpoint, take_checkpoint
from stilts.training.device import autocast
from stilts.training.gradients import Passes, Share, add_gradients
from stilts.training.host_copies import HostCopies
from stilts.training.losses import Losses, diverged
from stilts.training.ranks import ALONE, Order, Ranks
from stilts.training.reporter import Evaluation, Reply, Reporter
from stilts.training.run_config import RunConfig
from stilts.training.saving import CheckpointWriter
from stilts.training.schedule import learning_rate
from stilts.training.sharding import gathered, shard

# The number of no row: data have fewer than four billion.
_NO_ROW = 2**32 - 1


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
    a checkpoint and keeps it, in another thread and maybe by moving its files; ``resume`` is the folder of the last
    one kept, if any.
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
    ranks: Ranks = ALONE


@dataclass(slots=True, kw_only=True)
class InProgress:
    """A training as one rank holds it, between two steps."""

    model: StiltsModel
    optimizer: torch.optim.Optimizer
    feed: _Feed
    state: TrainState
    losses: Losses
    training: Training
    copies: HostCopies = field(default_factory=HostCopies)


def train(model: StiltsModel, training: Training) -> tuple[TrainState, bool]:
    """Trains to the last step and leaves the kept weights in the model; the flag says whether a reporter stopped it.

    A stopped stage has saved a checkpoint at the step it stopped at, and so has one whose reporter interrupts it.
    """
    now = begin(model, training)
    state, losses = now.state, now.losses
    started = time.monotonic() - state.seconds
    stopped = False
    with _writer(now) as writer:
        while state.step < training.config.steps and not stopped:
            training.ranks.tell(Order.STEP)
            _step(now)
            state.seconds = time.monotonic() - started
            try:
                training.reporter.progress(training.stage_id, state.step, training.config.steps)
            except KeyboardInterrupt:  # the run is to end: nothing that was trained is lost
                with suppress(DivergedError):  # there is nothing to keep, and the next run will see it
                    losses.read(state)
                    writer.start(partial(_taken, now))
                    writer.wait()
                raise
            if _evaluation_is_due(training.config, state.step):
                losses.read(state)
                stopped = _evaluate(now) is Reply.STOP
            if stopped or writer.is_due:
                losses.read(state)
                writer.start(partial(_taken, now))
    losses.read(state)
    if training.config.keep is Keep.BEST and state.best_weights is not None and not stopped:
        _together(now, Order.RESTORE_BEST)
    return state, stopped


def begin(model: StiltsModel, training: Training) -> InProgress:
    """The training before its next step: on this rank's device, from its last checkpoint if there is one."""
    device = torch.device(training.run.device)
    with _told_of_memory("the model's weights"):
        if training.ranks.is_sharded:
            shard(model, device, training.ranks.size)
        else:
            model.to(device)
    optimizer = make_optimizer(model, training.config)
    state = read_checkpoint(training.resume, model, optimizer) if training.resume else TrainState()
    return InProgress(
        model=model,
        optimizer=optimizer,
        feed=_Feed(training),
        state=state,
        losses=Losses(steps=training.config.steps, device=device, last=[point[:2] for point in state.curve[-3:]]),
        training=training,
    )


def obey(now: InProgress, order: Order) -> None:
    """One rank's part of what rank 0 has all do."""
    state = now.state
    if order is Order.STEP:
        _step(now)
    elif order is Order.KEEP_BEST:
        state.best_weights = {name: tensor.clone() for name, tensor in trained_tensors(now.model).items()}
    elif order is Order.RESTORE_BEST and state.best_weights is not None:
        load_trained(now.model, state.best_weights, what="the best step")
    elif order is Order.GATHER_STATE:
        take_checkpoint(None, now.model, now.optimizer, state, now.copies)
    elif order is Order.GATHER_WEIGHTS:
        for _ in gathered(now.model.state_dict()):
            pass


def _together(now: InProgress, order: Order) -> None:
    """Does it here, and on the other ranks where each holds a part of the weights."""
    if now.training.ranks.is_sharded:
        now.training.ranks.tell(order)
    obey(now, order)


def make_optimizer(model: StiltsModel, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over all parameters that train; biases and layer norms are not decayed."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.learning_rate,
        betas=(config.adam_beta1, config.adam_beta2),
        eps=config.adam_epsilon,
        fused=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What decides a step's micro-batches: its number, and how many rows at once (None: all)."""

    step: int
    rows: int | None


class _Feed:
    """Which task and which micro-batches each step sees."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.device = torch.device(training.run.device)
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
        # On a CPU a thread would take from the cores that train.
        self.ahead = None if self.device.type == "cpu" else OneAhead(self._share)

    def share(self, state: TrainState) -> tuple[TaskData, Share]:
        """The task of the next step, and this rank's share of the global batch, cut into micro-batches.

        Where a device computes, that of the step behind it is made meanwhile.
        """
        now = self._asked(state.step, state)
        if self.ahead is None:
            return self._share(now)
        return self.ahead.take(
            now, then=self._asked(now.step + 1, state) if now.step + 1 < len(self.schedule) else None
        )

    def _asked(self, step: int, state: TrainState) -> _Asked:
        data = self.training.tasks[int(self.schedule[step])]
        return _Asked(step=step, rows=state.micro_batch.get(data.task.learner, self.training.run.micro_batch))

    def _share(self, asked: _Asked) -> tuple[TaskData, Share]:
        index, ranks = int(self.schedule[asked.step]), self.training.ranks
        data = self.training.tasks[index]
        learning = learning_of(data.task.kind)
        units = self.orders[index].batch(int(self.number[asked.step]))
        shares = [self._batches(index, own, asked) for own in dealt(units, self.lengths[index], ranks.size)]
        own, everyone = shares[ranks.rank], [batch for share in shares for batch in share]
        collective = ranks.is_sharded or (learning.in_batch is not None and not own)
        vain = max(map(len, shares)) - len(own) if collective else 0
        return data, Share(
            batches=own,
            vain=everyone[:1] * vain,
            units=len(units),
            labels=sum(map(learning.label_count, everyone)),
            tokens=sum(int(batch.mask.sum()) for batch in everyone),
        )

    def _batches(self, index: int, units: Units, asked: _Asked) -> list[Batch]:
        """Some units of a task in micro-batches."""
        data = self.training.tasks[index]
        learning = learning_of(data.task.kind)
        at_once = None if asked.rows is None else max(1, asked.rows // data.train.rows_per_unit)
        pieces = micro_batches(units, self.lengths[index], at_once) if len(units) else ()
        batches = [collate(data.train, piece, self.training.vocabulary) for piece in pieces]
        if learning.alter is not None:
            how = (self.training.vocabulary, data.config, self.mask_seed, asked.step)
            batches = [learning.alter(batch, *how) for batch in batches]
        return [batch.pinned() for batch in batches] if self.device.type == "cuda" else batches

    def passes(self, model: StiltsModel, data: TaskData, step: int) -> Passes:
        """How the batches of a step go through the model, with one dropout key per row, from (seed, step, row)."""

        def dropout_keys(batch: Batch) -> torch.Tensor:
            return torch.from_numpy(keys(self.dropout_seed, step, batch.rows).view(np.int32))

        return Passes(
            model=model,
            task=data.task,
            config=data.config,
            device=self.device,
            autocast=autocast(self.device, self.training.config.precision),
            dropout_keys=dropout_keys,
        )

    def shared_key(self, step: int) -> torch.Tensor:
        """(1,) int32: the key of what all rows of a step have in common, on the device."""
        key = keys(self.dropout_seed, step, np.array([_NO_ROW])).view(np.int32)
        return torch.from_numpy(key).to(self.device)


def _step(now: InProgress) -> None:
    """One optimizer step of all ranks, which end it with the same weights."""
    model, optimizer, state, training = now.model, now.optimizer, now.state, now.training
    rate = learning_rate(training.config, state.step)
    for group in optimizer.param_groups:
        group["lr"] = rate
    model.train()
    model.stream.shared = now.feed.shared_key(state.step)
    data, share, loss = _within_memory(now)
    model.stream.keys = model.stream.shared = None
    loss = training.ranks.summed(model, loss)
    with _told_of_memory("the optimizer's step"):
        torch.nn.utils.clip_grad_norm_(model.parameters(), training.config.clip_norm)
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    state.step += 1
    state.tokens += share.tokens
    state.examples[data.task.learner] = state.examples.get(data.task.learner, 0) + share.units
    if training.ranks.rank == 0:  # the others have the same number
        now.losses.add(state, rate, data.task.learner, loss)


def _within_memory(now: InProgress) -> tuple[TaskData, Share, torch.Tensor]:
    """The step's task, this rank's share of it and its part of the loss, whose gradients are in the parameters.

    Where memory is not enough the same share is taken again in pieces of half as many rows, and so are those of
    the task's later steps: that changes rounding only. NoMemoryError where one unit alone is too much, and where
    other ranks wait within the pass that one of them cannot finish.
    """
    feed, state, ranks = now.feed, now.state, now.training.ranks
    while True:
        data, share = feed.share(state)
        try:
            return data, share, add_gradients(feed.passes(now.model, data, state.step), share, ranks)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            told = str(error)
        # Outside of the handler: the error's frames held what was to be freed.
        now.optimizer.zero_grad(set_to_none=True)
        give_back(feed.device)
        if ranks.is_sharded or (ranks.size > 1 and learning_of(data.task.kind).in_batch is not None):
            raise _no_memory_together(data, ranks, told)
        most = max(len(batch.units) for batch in share.batches)
        if most == 1:
            raise _no_memory(data, max(batch.ids.shape[1] for batch in share.batches), told)
        state.micro_batch[data.task.learner] = (most // 2) * data.train.rows_per_unit


def check_converged(model: StiltsModel, config: TrainConfig) -> None:
    """Raises DivergedError where a weight is NaN or infinite: the last step of all may be the one that went too far."""
    names, finite = zip(*((n, torch.isfinite(p).all()) for n, p in model.named_parameters()), strict=True)
    for name, fine in zip(
        names, torch.stack(finite).cpu().tolist(), strict=True
    ):  # read together: one wait for the device
        if not fine:
            raise diverged(f"the weights {name} are no numbers any more", config.learning_rate, config.steps)


@contextmanager
def _told_of_memory(what: str) -> Iterator[None]:
    """NoMemoryError for what no smaller batch makes smaller."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise NoMemoryError(
            what,
            f"memory is not enough: {' '.join(str(error).split())[:200]}",
            "Weights, gradients and the optimizer's moments take 16 bytes a parameter, however small the batch is",
            "Take a smaller encoder, or give the stage a device with more memory (resources.gpus)",
        ) from error


def _no_memory(data: TaskData, tokens: int, told: str) -> NoMemoryError:
    """The error of a task of which one example alone is too much."""
    return NoMemoryError(
        f"a training step of {data.task.learner}",
        f"memory is not enough for one example at a time ({data.train.rows_per_unit} rows of {tokens} tokens): "
        f"{' '.join(told.split())[:200]}",
        "The batch was halved down to that, and a smaller one there is not",
        "Lower max_length, take a smaller encoder, or give the stage a device with more memory (resources.gpus)",
    )


def _no_memory_together(data: TaskData, ranks: Ranks, told: str) -> NoMemoryError:
    """The error of a step whose passes all ranks take together, so that none can take its own again."""
    return NoMemoryError(
        f"a training step of {data.task.learner} on {ranks.size} ranks",
        f"memory of rank {ranks.rank} is not enough: {' '.join(told.split())[:200]}",
        "Ranks that share weights, or compare all rows of a batch, go through it in step, and cannot halve it alone",
        "Give resources.micro_batch: half of what a rank takes at once now, or less; results differ by rounding only",
    )


def _evaluation_is_due(config: TrainConfig, step: int) -> bool:
    return config.evaluate_every > 0 and (step % config.evaluate_every == 0 or step == config.steps)


def _evaluate(now: InProgress) -> Reply:
    training, state = now.training, now.state
    evaluation = training.evaluate(now.model)
    scores = dict(evaluation.scores)
    if not scores:  # masked LM on running text, say, has nothing to choose by
        return Reply.CONTINUE
    state.select.append((state.step, scores))
    mean = sum(scores.values()) / len(scores)
    if training.config.keep is Keep.BEST and (state.best_score is None or mean > state.best_score):
        state.best_step, state.best_score = state.step, mean
        _together(now, Order.KEEP_BEST)
    return training.reporter.evaluated(training.stage_id, state.step, training.config.steps, evaluation)


def _writer(now: InProgress) -> CheckpointWriter:
    training = now.training
    weights = sum(parameter.numel() * parameter.element_size() for parameter in now.model.parameters())
    return CheckpointWriter(
        training.save,
        least_s=training.run.checkpoint_every_s,
        num_bytes=3 * weights,  # with two moments of each
        scratch=training.run.scratch_dir,
    )


def _taken(now: InProgress, folder: Path) -> Callable[[], None]:
    if now.training.ranks.is_sharded:
        now.training.ranks.tell(Order.GATHER_STATE)
    return take_checkpoint(folder, now.model, now.optimizer, now.state, now.copies)
