"""The training loop: one stage from its first step to its last, whatever happens in between.

A step takes one batch of one task: which task and which examples are functions of (seed, step). Its loss is the sum
over the *global* batch divided by its label count, so cutting it into micro-batches changes rounding only (DESIGN rule
1). Read ``train`` first; ``_step`` is one optimizer step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from stilts.errors import DivergedError, NoMemoryError
from stilts.kinds.learning import learning_of
from stilts.models.device_memory import give_back, is_out_of_memory, one_is_too_much
from stilts.models.model import StiltsModel, load_trained, trained_tensors
from stilts.models.recomputed import recompute_layers
from stilts.study.config import Keep, TrainConfig
from stilts.training.checkpoint import TrainState, read_checkpoint, take_checkpoint
from stilts.training.clock import StagePhase
from stilts.training.feed import Feed, TaskData, Training
from stilts.training.gradients import Share, add_gradients
from stilts.training.host_copies import HostCopies
from stilts.training.losses import Losses, diverged
from stilts.training.optimizer import clipped_step, make_optimizer
from stilts.training.ranks import Order, Ranks
from stilts.training.reporter import Reply
from stilts.training.saving import CheckpointWriter
from stilts.training.schedule import learning_rate
from stilts.training.sharding import gathered, shard


@dataclass(slots=True, kw_only=True)
class InProgress:
    """A training as one rank holds it, between two steps."""

    model: StiltsModel
    optimizer: torch.optim.AdamW
    feed: Feed
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
    if training.run.gradient_checkpointing:
        recompute_layers(model.encoder, model.architecture.layers, model.stream)
    with _told_of_memory("the model's weights"):
        if training.ranks.is_sharded:
            shard(model, device, training.ranks.size)
        else:
            model.to(device)
    optimizer = make_optimizer(model, training.config)
    fits = dict(training.fits)
    state = read_checkpoint(training.resume, model, optimizer) if training.resume else TrainState(micro_batch=fits)
    return InProgress(
        model=model,
        optimizer=optimizer,
        feed=Feed(training),
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
    with _told_of_memory("the optimizer's step"), training.clock.during(StagePhase.OPTIMIZER):
        clipped_step(model, optimizer, training.config.clip_norm)
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
    feed, state, ranks, clock = now.feed, now.state, now.training.ranks, now.training.clock
    while True:
        with clock.during(StagePhase.DATA):
            data, share = feed.share(state)
        try:
            with clock.during(StagePhase.BACKWARD):  # of which ``passes`` takes what is forward
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
            tokens = max(batch.ids.shape[1] for batch in share.batches)
            raise one_is_too_much(f"a training step of {data.task.learner}", data.train.rows_per_unit, tokens, told)
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


def _no_memory_together(data: TaskData, ranks: Ranks, told: str) -> NoMemoryError:
    """The error of a step whose passes all ranks take together, so that none can take its own again."""
    return NoMemoryError(
        f"a training step of {data.task.learner} on {ranks.size} ranks",
        f"memory of rank {ranks.rank} is not enough: {' '.join(told.split())[:200]}",
        "Ranks that share weights, or compare all rows of a batch, go through it in step, and cannot halve it alone",
        "Give resources.micro_batch: half of what a rank takes at once now, or less; results differ by rounding only. "
        "Or set resources.gradient_checkpointing: true",
    )


def _evaluation_is_due(config: TrainConfig, step: int) -> bool:
    return config.evaluate_every > 0 and (step % config.evaluate_every == 0 or step == config.steps)


def _evaluate(now: InProgress) -> Reply:
    training, state = now.training, now.state
    with training.clock.during(StagePhase.SCORE):
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
        clock=training.clock,
    )


def _taken(now: InProgress, folder: Path) -> Callable[[], None]:
    if now.training.ranks.is_sharded:
        now.training.ranks.tell(Order.GATHER_STATE)
    return take_checkpoint(folder, now.model, now.optimizer, now.state, now.copies)
