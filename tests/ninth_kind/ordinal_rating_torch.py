"""Ordinal rating: whether a text stands above each grade but the last, by a sigmoid for each (Cheng et al. 2008)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from ordinal_rating import kappa_rows
from tokenizers import Tokenizer
from torch.nn.functional import binary_cross_entropy_with_logits

from stilts.data.collate import Batch, present
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, labelled, one_row_units, sequences
from stilts.data.encoded import Encoded
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    rows, truncated = sequences([e.text for e in examples], encoder)
    grades = np.asarray([labelled(e.grade, e.item) for e in examples])
    passed = grades[:, None] > np.asarray([int(label) for label in encoder.labels[:-1]])[None, :]
    return replace(one_row_units(rows, truncated), targets=passed.astype(np.float32))


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    assert encoded.targets is not None
    grade = task.labels[int(encoded.targets[units[0]].sum())]
    return [f"{row_text(encoded, tokenizer, units[0])} -> {grade} of {task.labels[0]} to {task.labels[-1]}"]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = head_outputs(model, task.learner, batch)
    return binary_cross_entropy_with_logits(logits.float(), present(batch.targets), reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    passed = np.zeros(len(encoded), np.int64)
    for batch, logits in s.outputs(task.learner, encoded):
        passed[batch.units] = (logits > 0).sum(-1).cpu().numpy()
    gold, said = [e.grade for e in examples], [int(task.labels[number]) for number in passed]
    return Scored(rows=kappa_rows(gold, said), predictions=tuple(map(str, said)), chance=0.0)


LEARNING = Learning(
    encode=_encode,
    show=_show,
    head=lambda task, make: make.sentence(len(task.labels) - 1),
    loss=_loss,
    label_count=lambda batch: present(batch.targets).numel(),
    predict=_predict,
    export=PlainForm(
        problem="multi_label_classification",
        names=lambda labels: [f"above {label}" for label in labels[:-1]],
    ),
)
