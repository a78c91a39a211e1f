"""Multiple choice: a score of each choice behind its context, by a softmax over the choices."""

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
from stilts.data.encode import TaskTokenizer, labelled, many_row_units, sequences
from stilts.data.encoded import Encoded
from stilts.errors import InputError
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.kinds.vectors import Labelled, token_means
from stilts.metrics.classification import accuracy_rows, guess_accuracy
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    counts = {len(e.choices) for e in examples}
    if len(counts) > 1:
        raise InputError(
            "multiple choice",
            f"examples have {sorted(counts)} choices",
            "One task has one number of choices",
            "Split the dataset by it",
        )
    inputs = [(f"{e.context} {e.question}".strip(), choice) for e in examples for choice in e.choices]
    rows, truncated = sequences(inputs, encoder)
    labels = [int(labelled(e.label, e.item)) for e in examples]
    return many_row_units(rows, truncated, counts.pop() if counts else 1, np.asarray(labels, np.int32))


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    """A line for each choice."""
    assert encoded.labels is not None
    rows = [row_text(encoded, tokenizer, int(row)) for row in encoded.rows_of(np.asarray(units[:1]))]
    right = int(encoded.labels[units[0]])
    return [f"({'x' if number == right else ' '}) {row}" for number, row in enumerate(rows)]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = head_outputs(model, task.learner, batch)
    return cross_entropy(logits.float().view(-1, batch.rows_per_unit), present(batch.labels), reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    chosen = np.zeros(len(encoded), np.int64)
    for batch, logits in s.outputs(task.learner, encoded):
        chosen[batch.units] = logits.view(-1, batch.rows_per_unit).argmax(-1).cpu().numpy()
    rows = accuracy_rows([e.label for e in examples], chosen.tolist())
    return Scored(rows=rows, predictions=tuple(map(str, chosen)), chance=guess_accuracy(encoded.rows_per_unit))


def _features(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[Labelled]:
    """The mean over each choice's tokens, less the mean of the example's choices, right (1) or wrong (0).

    A choice is made by a softmax: what an example's choices have in common cannot matter to a head.
    """
    assert encoded.labels is not None
    number = batch.rows_per_unit
    pooled = token_means(hidden, batch).reshape(len(batch.units), number, -1)
    right = np.arange(number)[None, :] == encoded.labels[batch.units][:, None]
    order = np.repeat(keys(0, batch.units), number)  # all choices of an example are drawn together
    yield (pooled - pooled.mean(axis=1, keepdims=True)).reshape(right.size, -1), right.reshape(-1).astype(int), order


LEARNING = Learning(
    encode=_encode,
    show=_show,
    # A bias common to all choices cannot change their softmax: its gradient is rounding noise, which Adam would blow up
    # to whole steps.
    head=lambda task, make: make.sentence(1, bias=False),
    loss=_loss,
    label_count=lambda batch: len(batch.units),
    predict=_predict,
    features=_features,
    export=PlainForm(),
)
