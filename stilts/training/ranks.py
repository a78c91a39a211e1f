"""Ranks: the processes that take one step together, each on its own share of the global batch.

Which examples a rank has, and all that is drawn for them, are functions of (seed, step): nothing is said about data.
Gradients are *summed*, since every rank divides its loss by the label count of the global batch. Rank 0 is the process
that runs the stage (``crew.py``); it says what is done next, so no rank waits in a collective for another's errand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.distributed as dist
from torch import nn

# Gradients travel in pieces of about this many numbers: 64 MiB of fp32, beyond which NCCL's rate on NVLink is flat.
_BUCKET = 2**24


class Order(StrEnum):
    """What rank 0 has the others do with a training in progress."""

    STEP = "step"
    KEEP_BEST = "keep best"
    RESTORE_BEST = "restore best"
    GATHER_STATE = "gather state"
    GATHER_WEIGHTS = "gather weights"


def _nobody(order: Order) -> None:
    """Rank 0 of one, and every other rank, has nobody to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """This process among those that work on a stage.

    ``tell`` passes an order of rank 0 on to the others. ``is_sharded``: no rank holds all weights (FSDP2), so that
    forward and backward passes are collectives, and every rank has to take the same number of them. ``control`` is the
    group for numbers on the host; collectives of tensors go through the default group.
    """

    rank: int = 0
    size: int = 1
    is_sharded: bool = False
    tell: Callable[[Order], None] = _nobody
    control: dist.ProcessGroup | None = None

    def summed(self, model: nn.Module, loss: torch.Tensor) -> torch.Tensor:
        """The loss of all ranks from this one's part, once gradients are summed too; the same bits on each."""
        if self.size == 1:
            return loss
        for bucket in _buckets([] if self.is_sharded else self._gradients(model)):
            _sum_over_ranks(bucket)
        dist.all_reduce(loss)
        return loss

    def _gradients(self, model: nn.Module) -> list[torch.Tensor]:
        """The gradients that any rank has, in the order of the parameters; zeros where this one had no such work."""
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        there = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.uint8)
        dist.all_reduce(there, op=dist.ReduceOp.MAX, group=self.control)
        found = []
        for parameter, is_there in zip(parameters, there.tolist(), strict=True):
            if is_there:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                found.append(parameter.grad)
        return found

    @property
    def own(self) -> slice:
        """This rank's units among those of a global batch, which are dealt one to each rank in turn."""
        return slice(self.rank, None, self.size)

    def gathered(self, vectors: torch.Tensor, units: int, rows_per_unit: int) -> torch.Tensor:
        """(rows, width) of all units in their order, from this rank's."""
        if self.size == 1:
            return vectors
        most = -(-units // self.size) * rows_per_unit
        padded = torch.cat([vectors, vectors.new_zeros(most - len(vectors), vectors.shape[1])])
        found = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(found, padded)
        by_rank = torch.stack(found).view(self.size, -1, rows_per_unit, vectors.shape[1])
        return by_rank.transpose(0, 1).reshape(-1, vectors.shape[1])[: units * rows_per_unit]

    def returned(self, gradient: torch.Tensor, rows_per_unit: int) -> torch.Tensor:
        """What all ranks' losses say of this rank's vectors, from the gradient at all vectors of its own loss."""
        if self.size == 1:
            return gradient
        dist.all_reduce(gradient)
        return gradient.view(-1, rows_per_unit, gradient.shape[1])[self.own].flatten(0, 1)


ALONE = Ranks()


def _sum_over_ranks(bucket: list[torch.Tensor]) -> None:
    if len(bucket) == 1:
        dist.all_reduce(bucket[0])
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
    dist.all_reduce(flat)
    parts = torch.split(flat, [tensor.numel() for tensor in bucket])
    torch._foreach_copy_(bucket, [part.view_as(tensor) for part, tensor in zip(parts, bucket, strict=True)])


def _buckets(tensors: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """The tensors in order, as many together as make a bucket; a larger one goes alone."""
    bucket: list[torch.Tensor] = []
    held = 0
    for tensor in tensors:
        if bucket and held + tensor.numel() > _BUCKET:
            yield bucket
            bucket, held = [], 0
        bucket.append(tensor)
        held += tensor.numel()
    if bucket:
        yield bucket
