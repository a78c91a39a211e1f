"""What a training is given, and what of it each step sees: functions of (seed, step), so a resume sees the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from stilts.data.batches import BatchOrder, Units, dealt, micro_batches, mixture_schedule
from stilts.data.collate import Batch, Vocabulary, collate
from stilts.data.counter_hash import keys
from stilts.data.encoded import Encoded
from stilts.data.one_ahead import OneAhead
from stilts.kinds.learning import learning_of
from stilts.models.model import StiltsModel
from stilts.seeds import derive_seed
from stilts.study.config import TaskConfig, TrainConfig
from stilts.tasks.task import Task
from stilts.training.checkpoint import TrainState
from stilts.training.clock import NO_CLOCK, StageClock, StagePhase
from stilts.training.device import autocast
from stilts.training.gradients import Passes, Share
from stilts.training.ranks import ALONE, Ranks
from stilts.training.reporter import Evaluation, Reporter
from stilts.training.run_config import RunConfig

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
    one kept, if any. ``clock`` is told what the loop does. ``fits`` says how many
    rows at once a task begins with, by learner, where more are known not to fit.
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
    clock: StageClock = NO_CLOCK
    fits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What decides a step's micro-batches: its number, and how many rows at once (None: all)."""

    step: int
    rows: int | None


class Feed:
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
            autocast=self.training.clock.around(
                StagePhase.FORWARD, autocast(self.device, self.training.config.precision)
            ),
            dropout_keys=dropout_keys,
        )

    def shared_key(self, step: int) -> torch.Tensor:
        """(1,) int32: the key of what all rows of a step have in common, on the device."""
        key = keys(self.dropout_seed, step, np.array([_NO_ROW])).view(np.int32)
        return torch.from_numpy(key).to(self.device)
