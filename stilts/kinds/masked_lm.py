"""Masked LM: hidden tokens guessed by the encoder's own head, masked in every step anew."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.collate import Batch, Vocabulary, mask_tokens, present
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, one_row_units, sequences, text_inputs
from stilts.data.encoded import Encoded
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task

# Masks of an evaluation are always the same, so that two models are asked the same.
_MASK_SEED = 0


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    rows, truncated = sequences(text_inputs(examples), encoder)
    return one_row_units(rows, truncated)


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    return [f"{row_text(encoded, tokenizer, units[0])} (tokens are masked in every step anew)"]


def _alter(batch: Batch, vocabulary: Vocabulary, config: TaskConfig, seed: int, step: int) -> Batch:
    return mask_tokens(batch, vocabulary, seed, step, config.mask_frac)


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits, labels = _guesses(model, batch)
    return cross_entropy(logits, labels, reduction="sum")


def _guesses(model: StiltsModel, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Vocabulary logits (masked, vocabulary) in fp32 of the masked tokens, and what they were (masked,)."""
    places = present(batch.places)
    hidden = model.hidden(batch.ids, batch.seen, batch.types).flatten(0, 1)[places]
    return model.masked_logits(hidden).float(), present(batch.row_labels).flatten()[places]


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    rows = np.zeros((len(encoded), 3))
    masked = partial(_masked, s.vocabulary, config)
    for batch, found in s.each(_judged, encoded, masked):
        owner = batch.units[present(batch.places).cpu().numpy() // batch.ids.shape[1]]
        right, losses = found.cpu().numpy()
        np.add.at(rows, owner, np.stack([right, np.ones_like(losses), losses], axis=1))
    return Scored(rows=rows, predictions=("",) * len(examples), chance=None)


def _masked(vocabulary: Vocabulary, config: TaskConfig, batch: Batch) -> Batch:
    return _alter(batch, vocabulary, config, _MASK_SEED, 0)


def _judged(model: StiltsModel, batch: Batch) -> torch.Tensor:
    """(2, masked): 1 where the guess was right, and its loss."""
    logits, labels = _guesses(model, batch)
    losses = cross_entropy(logits, labels, reduction="none")
    return torch.stack([(logits.argmax(-1) == labels).to(losses.dtype), losses])


LEARNING = Learning(
    encode=_encode,
    show=_show,
    alter=_alter,
    loss=_loss,
    label_count=lambda batch: len(present(batch.places)),
    predict=_predict,
    export=PlainForm(is_lm_head=True),
)
