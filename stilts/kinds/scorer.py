"""Scorer: a model with what its forward passes need.

Evaluation batches are cut by a token budget, longest first; that is execution and changes rounding only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from stilts.data.batches import token_batches
from stilts.data.collate import Batch, Vocabulary, collate
from stilts.data.encoded import Encoded
from stilts.kinds.retrieved import ALONE, Embedded, RetrievalSearch, row_vectors
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A model in evaluation mode with what its forward passes need.

    ``language`` is that of the examples: MLQA's metric compares answers by it. ``search`` is what a retrieval looks in.
    """

    model: StiltsModel
    vocabulary: Vocabulary
    device: torch.device
    eval_tokens: int
    autocast: Callable[[], AbstractContextManager[Any]]
    language: str = "en"
    search: RetrievalSearch = ALONE

    def batches(self, encoded: Encoded) -> Iterator[Batch]:
        """Batches over all units, longest first, on the model's device."""
        lengths = encoded.unit_lengths * encoded.rows_per_unit
        for units in token_batches(lengths, self.eval_tokens):
            yield collate(encoded, units, self.vocabulary).to(self.device)

    def outputs(self, learner: str, encoded: Encoded) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every batch with what the head of ``learner`` makes of it, fp32 on the model's device."""
        for batch in self.batches(encoded):
            yield batch, head_outputs(self.model, learner, batch).float()

    def vectors(self, config: TaskConfig, encoded: Encoded) -> Embedded:
        """The unit vector of each row, (rows, width): what a pool's candidates are."""
        self.model.eval()
        with torch.inference_mode(), self.autocast():
            return row_vectors(self.model, config, encoded, self.batches(encoded))


def head_outputs(model: StiltsModel, learner: str, batch: Batch) -> torch.Tensor:
    """What the head of ``learner`` makes of a batch's last hidden states."""
    outputs: torch.Tensor = model.heads[learner](model.hidden(batch.ids, batch.mask), batch.mask)
    return outputs
