"""Scorer: a model with what its forward passes need.

Evaluation batches are cut by a token budget, longest first; that is execution and changes rounding only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

import torch

from stilts.data.batches import Units, token_batches
from stilts.data.collate import Batch, Vocabulary, collate
from stilts.data.encoded import Encoded
from stilts.kinds.retrieved import ALONE, Embedded, RetrievalSearch, pooled_rows, row_vectors
from stilts.models.attention import forward_only
from stilts.models.device_memory import give_back, is_out_of_memory, one_is_too_much
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig

# What is computed of a batch on the model's device; it travels to other ranks by pickle, so it is no lambda.
Forward: TypeAlias = Callable[[StiltsModel, Batch], torch.Tensor]
# Makes of a batch what a model is asked, before it is moved to the device.
Alter: TypeAlias = Callable[[Batch], Batch]


class Deal(Protocol):
    """Has several ranks compute what a scorer is asked."""

    def __call__(
        self, scorer: Scorer, forward: Forward, encoded: Encoded, alter: Alter | None
    ) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch, in order, with what ``forward`` gives, whichever rank computed it."""


@dataclass(slots=True)
class Fitting:
    """The most padded tokens of a batch that memory is known to hold; None: it never was too little."""

    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A model in evaluation mode with what its forward passes need.

    ``language`` is that of the examples: MLQA's metric compares answers by it. ``search`` is what a retrieval looks in.
    ``fitting`` says what was learned of memory, for all that is scored with this model. ``deal`` is set where other
    ranks compute too.
    """

    model: StiltsModel
    vocabulary: Vocabulary
    device: torch.device
    eval_tokens: int
    autocast: Callable[[], AbstractContextManager[Any]]
    language: str = "en"
    search: RetrievalSearch = ALONE
    fitting: Fitting = field(default_factory=Fitting)
    deal: Deal | None = None

    def each(
        self, forward: Forward, encoded: Encoded, alter: Alter | None = None
    ) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch over all units, longest first, with what ``forward`` makes of it.

        Both are on the model's device; of what another rank computed, on the host. The stage's precision holds within
        ``forward`` alone.
        """
        if self.deal is not None:
            yield from self.deal(self, forward, encoded, alter)
            return
        for units in self.cut(encoded):
            yield from self.within_memory(forward, encoded, units, alter)

    def cut(self, encoded: Encoded) -> list[Units]:
        """The units of each batch, longest first."""
        return list(token_batches(encoded.unit_lengths * encoded.rows_per_unit, self.eval_tokens))

    def batch(self, encoded: Encoded, units: Units, alter: Alter | None) -> Batch:
        """Some units as a batch on the host, as the model is asked."""
        batch = collate(encoded, units, self.vocabulary)
        return batch if alter is None else alter(batch)

    def within_memory(
        self, forward: Forward, encoded: Encoded, units: Units, alter: Alter | None
    ) -> Iterator[tuple[Batch, torch.Tensor]]:
        """A batch's units with what ``forward`` makes of them, in one piece if memory is enough.

        Else it is taken again in halves, and so are later ones of its size; NoMemoryError where one unit alone is too
        much.
        """
        waiting = [units]
        while waiting:
            units = waiting.pop()
            batch = self.batch(encoded, units, alter)
            found = None if self._is_too_large(batch) else self._tried(forward, batch)
            if found is None:
                middle = len(units) // 2
                waiting += [units[middle:], units[:middle]]
            else:
                yield found

    def _is_too_large(self, batch: Batch) -> bool:
        known = self.fitting.tokens
        return known is not None and len(batch.units) > 1 and batch.ids.numel() > known

    def _tried(self, forward: Forward, batch: Batch) -> tuple[Batch, torch.Tensor] | None:
        """The batch with its result; None where memory was not enough."""
        try:
            moved = batch.to(self.device)
            with self.autocast():
                return moved, forward(self.model, moved)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch.units) == 1:
                raise one_is_too_much("a forward pass", len(batch.ids), batch.ids.shape[1], str(error)) from error
        give_back(self.device)
        self.fitting.tokens = batch.ids.numel() // 2
        return None

    def outputs(self, learner: str, encoded: Encoded) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch with what the head of ``learner`` makes of it, fp32."""
        yield from self.each(partial(_outputs, learner), encoded)

    def vectors(self, config: TaskConfig, encoded: Encoded) -> Embedded:
        """The unit vector of each row, (rows, width): what a pool's candidates are."""
        self.model.eval()
        with forward_only():
            return row_vectors(self.model.config.hidden_size, encoded, self.pooled(config, encoded))

    def pooled(self, config: TaskConfig, encoded: Encoded) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch with the unit vectors of its rows, (rows, width), from hidden state ``config.layer``."""
        yield from self.each(partial(pooled_rows, config.layer, config.pooling), encoded)


def _outputs(learner: str, model: StiltsModel, batch: Batch) -> torch.Tensor:
    return head_outputs(model, learner, batch).float()


def head_outputs(model: StiltsModel, learner: str, batch: Batch) -> torch.Tensor:
    """What the head of ``learner`` makes of a batch's last hidden states."""
    outputs: torch.Tensor = model.heads[learner](model.hidden(batch.ids, batch.seen, batch.types), batch.mask)
    return outputs
