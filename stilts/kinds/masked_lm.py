"""Masked LM: hidden tokens guessed by the encoder's own head, masked in every step anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.batches import token_batches
from stilts.data.collate import Batch, Vocabulary, collate, mask_tokens, present
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, one_row_units, sequences, text_inputs
from stilts.data.encoded import IGNORED, Encoded
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
    labels = present(batch.row_labels)
    hidden = model.hidden(batch.ids, batch.mask)[labels != IGNORED]
    return cross_entropy(model.masked_logits(hidden).float(), labels[labels != IGNORED], reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    rows = np.zeros((len(encoded), 3))
    for units in token_batches(encoded.unit_lengths, s.eval_tokens):
        batch = _alter(collate(encoded, units, s.vocabulary), s.vocabulary, config, _MASK_SEED, 0).to(s.device)
        labels = present(batch.row_labels)
        wanted = labels != IGNORED
        logits = s.model.masked_logits(s.model.hidden(batch.ids, batch.mask)[wanted]).float()
        gold = labels[wanted]
        owner = units[torch.nonzero(wanted)[:, 0].cpu().numpy()]
        losses = cross_entropy(logits, gold, reduction="none").cpu().numpy()
        right = (logits.argmax(-1) == gold).cpu().numpy()
        np.add.at(rows, owner, np.stack([right, np.ones_like(losses), losses], axis=1))
    return Scored(rows=rows, predictions=("",) * len(examples), chance=None)


LEARNING = Learning(
    encode=_encode,
    show=_show,
    alter=_alter,
    loss=_loss,
    label_count=lambda batch: int((present(batch.row_labels) != IGNORED).sum()),
    predict=_predict,
    export=PlainForm(is_lm_head=True),
)
