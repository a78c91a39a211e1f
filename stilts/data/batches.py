"""Which examples a step sees: pure functions of (seed, step), so a resumed stage sees what it would have seen.

Neither the micro-batch nor the number of processes enters here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stilts.seeds import derive_seed

# Batches sorted by length together: long enough that neighbours are alike, short enough to mix (as in fairseq's
# buckets).
BUCKET_BATCHES = 50
Units = NDArray[np.int64]


def mixture_schedule(weights: Sequence[float], steps: int, seed: int) -> NDArray[np.int64]:
    """(steps,) the task of each step: shares of steps exact to one step, order shuffled by the seed.

    Counts are rounded by largest remainder, ties to the earlier task.
    """
    shares = np.asarray(weights, np.float64) / np.sum(weights) * steps
    counts = np.floor(shares).astype(np.int64)
    short = steps - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:short]] += 1
    order = np.repeat(np.arange(len(weights)), counts)
    return np.random.Generator(np.random.Philox(derive_seed("mixture", seed))).permutation(order)


@dataclass(slots=True)
class BatchOrder:
    """The batches of one task: epoch after epoch, bucketed by length, each epoch in a new order.

    An epoch's order is drawn from (seed, epoch): a permutation, cut into buckets of 50 batches, each sorted by length
    and cut into batches, which are then shuffled. What is left over beyond whole batches waits for
    another epoch; a task smaller than a batch gives all it has.
    """

    lengths: NDArray[np.int64]
    batch_size: int
    seed: int
    _epoch: int = field(default=-1, init=False)
    _batches: list[Units] = field(default_factory=list, init=False)

    @property
    def per_epoch(self) -> int:
        """Batches in one epoch, at least 1."""
        return max(1, len(self.lengths) // self.batch_size)

    def batch(self, number: int) -> Units:
        """The units of the task's batch ``number``, counted from 0 over all epochs."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._draw(epoch)
        return self._batches[place]

    def _draw(self, epoch: int) -> list[Units]:
        random = np.random.Generator(np.random.Philox(derive_seed("batches", self.seed, epoch)))
        order = random.permutation(len(self.lengths))[: self.per_epoch * self.batch_size]
        width = BUCKET_BATCHES * self.batch_size
        batches: list[Units] = []
        for start in range(0, len(order), width):
            bucket = order[start : start + width]
            bucket = bucket[np.argsort(self.lengths[bucket], kind="stable")]
            batches += [bucket[i : i + self.batch_size] for i in range(0, len(bucket), self.batch_size)]
        return [batches[i] for i in random.permutation(len(batches))]


def micro_batches(units: Units, lengths: NDArray[np.int64], size: int | None) -> Iterator[Units]:
    """The batch's units in pieces of at most ``size``, like lengths together; None keeps it whole."""
    ordered = units[np.argsort(lengths[units], kind="stable")]
    width = size or len(units)
    for start in range(0, len(ordered), width):
        yield ordered[start : start + width]


def dealt(units: Units, lengths: NDArray[np.int64], ranks: int) -> list[Units]:
    """The batch's units by rank, like lengths together in time: how many each gets differs by one at most.

    Which they are depends on no micro-batch, so a rank may cut its own share as it likes. Where there are fewer units
    than ranks, the last ranks have none.
    """
    ordered = units[np.argsort(lengths[units], kind="stable")]
    return [ordered[rank::ranks] for rank in range(ranks)]


def token_batches(lengths: NDArray[np.int64], max_tokens: int) -> Iterator[Units]:
    """All units, longest first, in batches of at most ``max_tokens`` padded tokens (one unit at least)."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        width = max(1, max_tokens // max(1, int(lengths[order[start]])))
        yield order[start : start + width]
        start += width
