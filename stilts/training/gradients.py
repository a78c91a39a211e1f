"""Gradients of one global batch, however it is cut: micro-batches, ranks, and a loss that compares all rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from stilts.data.collate import Batch
from stilts.kinds.learning import InBatch, learning_of
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task
from stilts.training.ranks import Ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """How one step's batches go through a model in training.

    ``dropout_keys`` gives a batch's keys, (rows,) int32, so that a pass that is made again drops the same.
    """

    model: StiltsModel
    task: Task
    config: TaskConfig
    device: torch.device
    autocast: Callable[[], AbstractContextManager[Any]]
    dropout_keys: Callable[[Batch], torch.Tensor]

    def entered(self, batch: Batch) -> Batch:
        """The batch on the device, with its rows' keys at the model's dropout."""
        self.model.stream.keys = self.dropout_keys(batch).to(self.device, non_blocking=True)
        return batch.to(self.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One rank's part of a global batch, as micro-batches, and what the whole batch holds.

    ``vain`` are passes that this rank takes because others do: where a pass is a collective, all take as many.
    ``units``, ``labels`` and ``tokens`` are those of all ranks.
    """

    batches: list[Batch]
    vain: list[Batch]
    units: int
    labels: int
    tokens: int


def add_gradients(passes: Passes, share: Share, ranks: Ranks) -> torch.Tensor:
    """Adds the gradients of a rank's part of the loss to the parameters'; returns that part, a float64 scalar.

    The loss is the sum over the global batch divided by its label count; it lies on the device.
    """
    learning = learning_of(passes.task.kind)
    if learning.in_batch is not None and (ranks.size > 1 or len(share.batches) > 1):
        return _compared(passes, learning.in_batch, share, ranks)
    total = torch.zeros((), dtype=torch.float64, device=passes.device)
    for number, batch in enumerate([*share.batches, *share.vain]):
        entered = passes.entered(batch)
        with passes.autocast():
            loss = learning.loss(passes.model, passes.task, passes.config, entered) / max(1, share.labels)
        if number >= len(share.batches):
            loss = loss * 0.0
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    return total


def _compared(passes: Passes, in_batch: InBatch, share: Share, ranks: Ranks) -> torch.Tensor:
    """The vectors of all pieces and ranks, the loss's gradient at each of them, then its part back through each piece.

    Of several pieces the second half needs a second pass (GradCache, Gao et al. 2021, arXiv 2101.06983). Counted
    dropout drops in it what it did in the first.
    """
    batches = [*share.batches, *share.vain]
    with torch.set_grad_enabled(len(batches) == 1):
        pieces = [_vectors(passes, in_batch, batch) for batch in batches]
    own = torch.cat([piece.detach() for piece in pieces])
    rows = sum(len(batch.rows) for batch in share.batches)
    vectors = ranks.gathered(own[:rows], share.units, batches[0].rows_per_unit).requires_grad_()
    loss = in_batch.loss(vectors, passes.config, ranks.own) / max(1, share.labels)
    loss.backward()  # type: ignore[no-untyped-call]
    assert vectors.grad is not None
    gradient = torch.zeros_like(own)
    gradient[:rows] = ranks.returned(vectors.grad, batches[0].rows_per_unit)
    for batch, piece, part in zip(batches, pieces, torch.split(gradient, list(map(len, pieces))), strict=True):
        torch.autograd.backward(piece if len(batches) == 1 else _vectors(passes, in_batch, batch), part)
    return loss.detach().double()


def _vectors(passes: Passes, in_batch: InBatch, batch: Batch) -> torch.Tensor:
    entered = passes.entered(batch)
    with passes.autocast():
        return in_batch.vectors(passes.model, passes.config, entered)
