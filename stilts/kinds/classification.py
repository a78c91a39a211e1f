"""Classification: a label by a softmax over the first token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from stilts.data.collate import Batch, present
from stilts.data.counter_hash import keys
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, labelled, one_row_units, sequences, text_inputs
from stilts.data.encoded import Encoded
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.kinds.vectors import Labelled, token_means
from stilts.metrics.classification import accuracy_rows, majority_accuracy
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    rows, truncated = sequences(text_inputs(examples), encoder)
    index = {label: i for i, label in enumerate(encoder.labels)}
    labels = [index[labelled(e.label, e.item)] for e in examples]
    return one_row_units(rows, truncated, labels=np.asarray(labels, np.int32))


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    assert encoded.labels is not None
    return [f"{row_text(encoded, tokenizer, units[0])} -> {task.labels[encoded.labels[units[0]]]}"]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = head_outputs(model, task.learner, batch)
    return cross_entropy(logits.float(), present(batch.labels), reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    chosen = np.zeros(len(encoded), np.int64)
    for batch, logits in s.outputs(task.learner, encoded):
        chosen[batch.units] = logits.argmax(-1).cpu().numpy()
    gold, predicted = [e.label for e in examples], [task.labels[i] for i in chosen]
    return Scored(rows=accuracy_rows(gold, predicted), predictions=tuple(predicted), chance=majority_accuracy(gold))


def _features(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[Labelled]:
    """The mean over a sentence's tokens, with its label."""
    assert encoded.labels is not None
    yield token_means(hidden, batch), encoded.labels[batch.units].astype(np.int64), keys(0, batch.units)


LEARNING = Learning(
    encode=_encode,
    show=_show,
    head=lambda task, make: make.sentence(len(task.labels)),
    loss=_loss,
    label_count=lambda batch: len(batch.units),
    predict=_predict,
    features=_features,
    export=PlainForm(problem="single_label_classification", names=lambda labels: labels),
)
