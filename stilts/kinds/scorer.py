"""Scorer: a model with what its forward passes need.

Evaluation batches are cut by a token budget, longest first; that is execution and changes rounding only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import torch

from stilts.data.batches import token_batches
from stilts.data.collate import Batch, Vocabulary, collate
from stilts.data.encoded import Encoded
from stilts.errors import NoMemoryError
from stilts.kinds.retrieved import ALONE, Embedded, RetrievalSearch, pooled_rows, row_vectors
from stilts.models.device_memory import give_back, is_out_of_memory
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig

# What is computed of a batch on the model's device.
Forward: TypeAlias = Callable[[StiltsModel, Batch], torch.Tensor]
# Makes of a batch what a model is asked, before it is moved to the device.
Alter: TypeAlias = Callable[[Batch], Batch]


@dataclass(slots=True)
class Fitting:
    """The most padded tokens of a batch that memory is known to hold; None: it never was too little."""

    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A model in evaluation mode with what its forward passes need.

    ``language`` is that of the examples: MLQA's metric compares answers by it. ``search`` is what a retrieval looks in.
    ``fitting`` says what was learned of memory, for all that is scored with this model.
    """

    model: StiltsModel
    vocabulary: Vocabulary
    device: torch.device
    eval_tokens: int
    autocast: Callable[[], AbstractContextManager[Any]]
    language: str = "en"
    search: RetrievalSearch = ALONE
    fitting: Fitting = field(default_factory=Fitting)

    def each(
        self, forward: Forward, encoded: Encoded, alter: Alter | None = None
    ) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch over all units, longest first, with what ``forward`` makes of it, both on the model's device.

        The stage's precision holds within ``forward`` alone. Where memory is not enough a batch is taken again in
        halves, and so are later ones of its size; NoMemoryError where one unit alone is too much.
        """
        lengths = encoded.unit_lengths * encoded.rows_per_unit
        for units in token_batches(lengths, self.eval_tokens):
            waiting = [units]
            while waiting:
                units = waiting.pop()
                batch = collate(encoded, units, self.vocabulary)
                batch = batch if alter is None else alter(batch)
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
                raise _no_memory(batch, error) from error
        give_back(self.device)
        self.fitting.tokens = batch.ids.numel() // 2
        return None

    def outputs(self, learner: str, encoded: Encoded) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch with what the head of ``learner`` makes of it, fp32."""
        yield from self.each(partial(_outputs, learner), encoded)

    def vectors(self, config: TaskConfig, encoded: Encoded) -> Embedded:
        """The unit vector of each row, (rows, width): what a pool's candidates are."""
        self.model.eval()
        with torch.inference_mode():
            return row_vectors(self.model.config.hidden_size, encoded, self.pooled(config, encoded))

    def pooled(self, config: TaskConfig, encoded: Encoded) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch with the unit vectors of its rows, (rows, width), from hidden state ``config.layer``."""
        yield from self.each(partial(pooled_rows, config.layer, config.pooling), encoded)


def _outputs(learner: str, model: StiltsModel, batch: Batch) -> torch.Tensor:
    return head_outputs(model, learner, batch).float()


def head_outputs(model: StiltsModel, learner: str, batch: Batch) -> torch.Tensor:
    """What the head of ``learner`` makes of a batch's last hidden states."""
    outputs: torch.Tensor = model.heads[learner](model.hidden(batch.ids, batch.mask), batch.mask)
    return outputs


def _no_memory(batch: Batch, error: Exception) -> NoMemoryError:
    rows, tokens = batch.ids.shape
    return NoMemoryError(
        "a forward pass",
        f"memory is not enough for one example at a time ({rows} rows of {tokens} tokens): "
        f"{' '.join(str(error).split())[:200]}",
        "The batch was halved down to that, and a smaller one there is not",
        "Lower max_length, take a smaller encoder, or give the stage a device with more memory (resources.gpus)",
    )
