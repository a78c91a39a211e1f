"""Sets of labels: yes or no to each label, by a sigmoid over the first token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import binary_cross_entropy_with_logits

from stilts.data.collate import Batch, present
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, labelled, one_row_units, sequences
from stilts.data.encoded import Encoded
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.metrics.label_sets import label_set_rows, most_frequent_first, ranking_text
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    rows, truncated = sequences([e.text for e in examples], encoder)
    index = {label: i for i, label in enumerate(encoder.labels)}
    targets = np.zeros((len(examples), len(index)), np.float32)
    for row, example in enumerate(examples):
        targets[row, [index[label] for label in labelled(example.labels, example.item)]] = 1.0
    return replace(one_row_units(rows, truncated), targets=targets)


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    assert encoded.targets is not None
    names = [label for label, on in zip(task.labels, encoded.targets[units[0]], strict=True) if on]
    return [f"{row_text(encoded, tokenizer, units[0])} -> {', '.join(names) or 'no label'}"]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = head_outputs(model, task.learner, batch)
    return binary_cross_entropy_with_logits(logits.float(), present(batch.targets), reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    logits = np.zeros((len(encoded), len(task.labels)), np.float32)
    for batch, found in s.outputs(task.learner, encoded):
        logits[batch.units] = found.cpu().numpy()
    gold = [e.labels for e in examples]
    chosen = [int(number) for number in (logits > 0.0).sum(axis=1)]  # a probability above a half
    ranked = [
        [task.labels[i] for i in order[: max(number, len(labels))]]
        for order, number, labels in zip(np.argsort(-logits, axis=1, kind="stable"), chosen, gold, strict=True)
    ]
    return Scored(
        rows=label_set_rows(gold, ranked, chosen),
        predictions=tuple(map(ranking_text, ranked, chosen)),
        chance=most_frequent_first(gold),
    )


LEARNING = Learning(
    encode=_encode,
    show=_show,
    head=lambda task, make: make.sentence(len(task.labels)),
    loss=_loss,
    label_count=lambda batch: present(batch.targets).numel(),
    predict=_predict,
    export=PlainForm(problem="multi_label_classification", names=lambda labels: labels),
)
