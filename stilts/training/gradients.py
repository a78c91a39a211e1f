"""Gradients of one global batch, however it is cut: micro-batches, and those of a loss that compares all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from stilts.data.collate import Batch
from stilts.kinds.learning import InBatch, learning_of
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task


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


def add_gradients(passes: Passes, batches: Sequence[Batch]) -> torch.Tensor:
    """Adds the gradients of a global batch's loss to the parameters'; returns the loss, a float64 scalar on the device.

    The loss is the sum over the batch divided by its label count.
    """
    learning = learning_of(passes.task.kind)
    labels = max(1, sum(map(learning.label_count, batches)))
    if learning.in_batch is not None and len(batches) > 1:
        return _in_two_passes(passes, learning.in_batch, batches, labels)
    total = torch.zeros((), dtype=torch.float64, device=passes.device)
    for batch in batches:
        entered = passes.entered(batch)
        with passes.autocast():
            loss = learning.loss(passes.model, passes.task, passes.config, entered) / labels
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    return total


def _in_two_passes(passes: Passes, in_batch: InBatch, batches: Sequence[Batch], labels: int) -> torch.Tensor:
    """In two passes (GradCache, Gao et al. 2021, arXiv 2101.06983): all vectors, the loss's gradient at each of them,
    then each piece again with its part of that gradient. Counted dropout drops in the second pass what it did in the
    first.
    """
    with torch.no_grad():
        pieces = [_vectors(passes, in_batch, batch) for batch in batches]
    vectors = torch.cat(pieces).requires_grad_()
    loss = in_batch.loss(vectors, passes.config, slice(None)) / labels
    loss.backward()  # type: ignore[no-untyped-call]
    assert vectors.grad is not None
    for batch, gradient in zip(batches, torch.split(vectors.grad, [len(piece) for piece in pieces]), strict=True):
        torch.autograd.backward(_vectors(passes, in_batch, batch), gradient)
    return loss.detach().double()


def _vectors(passes: Passes, in_batch: InBatch, batch: Batch) -> torch.Tensor:
    entered = passes.entered(batch)
    with passes.autocast():
        return in_batch.vectors(passes.model, passes.config, entered)
