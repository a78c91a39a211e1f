"""Features: hidden vectors of training examples with the labels that a linear head would have to read from them.

What counts as one labelled vector depends on the task's kind; vectors are of the encoder's last layer.

* Classification: the mean over a sentence's tokens, with its label.
* Multiple choice: the mean over each choice's tokens, less the mean of the example's choices, right (1) or wrong (0).
* Tagging: the first token of each word, with its tag.
* Span QA: tokens of the windows that hold the answer, less the mean of the window's context: the answer's first token
  (1), its last (2, where that is another), and two tokens outside the answer (0).

A choice is made by a softmax over an example's choices, an answer by one over a window's tokens: what they have in
common cannot matter to a head, and is taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from stilts.data.collate import Batch
from stilts.data.counter_hash import keys
from stilts.data.encoded import IGNORED, Encoded
from stilts.errors import InputError
from stilts.tasks.task import Kind
from stilts.training.predict import Scorer

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Words and answers' tokens are many more than examples: so many, drawn by counter, keep a 1024-wide model's singular
# value decomposition at seconds.
MOST_VECTORS = 4000
_OUTSIDE = 2  # tokens beside the answer that a window gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """``vectors`` (n, width) and ``labels`` (n,), whole numbers."""

    vectors: FloatArray
    labels: IntArray


_Part = tuple[FloatArray, IntArray, NDArray[np.uint32]]


def labelled_features(scorer: Scorer, kind: Kind, encoded: Encoded) -> Features:
    """The labelled vectors of some encoded examples; InputError for kinds that have none."""
    if kind not in _TAKE:
        raise InputError(
            f"features of {kind.value} with labels",
            "that kind has no labels that a linear head reads",
            "LogME and H-score judge features by labels",
            "Leave the column out of these estimates",
        )
    parts = list(_forward(scorer, encoded, _TAKE[kind]))
    vectors, labels, order = (np.concatenate([part[i] for part in parts]) for i in range(3))
    kept = np.sort(np.argsort(order, kind="stable")[:MOST_VECTORS])
    return Features(vectors=vectors[kept].astype(np.float64), labels=labels[kept].astype(np.int64))


def mean_embedding(scorer: Scorer, encoded: Encoded) -> FloatArray:
    """(width,) the mean over rows of the mean over tokens of the last layer: TextEmb (Vu et al. 2020, section 3.1)."""
    total, rows = np.zeros(scorer.model.config.hidden_size), 0
    for hidden, batch in _hidden(scorer, encoded):
        total += _pooled(hidden, batch).sum(axis=0)
        rows += len(batch.rows)
    return total / rows


def _forward(
    scorer: Scorer, encoded: Encoded, take: Callable[[Encoded, Batch, torch.Tensor], Iterator[_Part]]
) -> Iterator[_Part]:
    for hidden, batch in _hidden(scorer, encoded):
        yield from take(encoded, batch, hidden)


def _hidden(scorer: Scorer, encoded: Encoded) -> Iterator[tuple[torch.Tensor, Batch]]:
    """Last hidden states (rows, tokens, width) of every batch, dropout off."""
    scorer.model.eval()
    for batch in scorer.batches(encoded):
        with torch.inference_mode(), scorer.autocast():
            hidden = scorer.model.hidden(batch.ids, batch.mask).float()
        yield hidden, batch


def _pooled(hidden: torch.Tensor, batch: Batch) -> FloatArray:
    weights = batch.mask.unsqueeze(-1).to(hidden.dtype)
    mean: FloatArray = ((hidden * weights).sum(1) / weights.sum(1)).double().cpu().numpy()
    return mean


def _sentences(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[_Part]:
    assert encoded.labels is not None
    yield _pooled(hidden, batch), encoded.labels[batch.units].astype(np.int64), keys(0, batch.units)


def _choices(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[_Part]:
    assert encoded.labels is not None
    number = batch.rows_per_unit
    pooled = _pooled(hidden, batch).reshape(len(batch.units), number, -1)
    right = np.arange(number)[None, :] == encoded.labels[batch.units][:, None]
    # All choices of an example are drawn together.
    order = np.repeat(keys(0, batch.units), number)
    yield (pooled - pooled.mean(axis=1, keepdims=True)).reshape(right.size, -1), right.reshape(-1).astype(int), order


def _words(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[_Part]:
    assert batch.row_labels is not None
    labels = batch.row_labels.cpu().numpy()
    rows, places = np.nonzero(labels != IGNORED)
    vectors = hidden[torch.from_numpy(rows), torch.from_numpy(places)].double().cpu().numpy()
    yield vectors, labels[rows, places], keys(0, batch.rows[rows], places)


def _answers(encoded: Encoded, batch: Batch, hidden: torch.Tensor) -> Iterator[_Part]:
    assert encoded.spans is not None and encoded.chars is not None
    for place, unit in enumerate(batch.units.tolist()):
        first, last = encoded.spans[unit].tolist()
        context = np.flatnonzero(encoded.chars[unit].reshape(-1, 2)[:, 0] >= 0)
        if last == 0 or not len(context):  # (0, 0): the window holds no answer
            continue
        outside = context[(context < first) | (context > last)]
        drawn = outside[np.argsort(keys(0, unit, outside), kind="stable")[:_OUTSIDE]]
        places = [first, *([last] if last != first else []), *drawn.tolist()]
        labels = [1, *([2] if last != first else []), *[0] * len(drawn)]
        tokens = hidden[place].double().cpu().numpy()
        order = np.repeat(keys(0, unit), len(places))  # a window's tokens are drawn together
        yield tokens[places] - tokens[context].mean(axis=0), np.asarray(labels), order


_TAKE: Mapping[Kind, Callable[[Encoded, Batch, torch.Tensor], Iterator[_Part]]] = {
    Kind.CLASSIFICATION: _sentences,
    Kind.MULTIPLE_CHOICE: _choices,
    Kind.TAGGING: _words,
    Kind.SPAN_QA: _answers,
}
