"""Features: hidden vectors of training examples with the labels that a linear head would have to read from them.

What counts as one labelled vector each task kind says (``Learning.features``); vectors are of the encoder's last layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from stilts.data.collate import Batch
from stilts.data.encoded import Encoded
from stilts.errors import InputError
from stilts.kinds.learning import learning_of
from stilts.kinds.scorer import Scorer
from stilts.kinds.vectors import FloatArray, IntArray, token_means
from stilts.models.attention import forward_only
from stilts.models.model import StiltsModel
from stilts.tasks.kind import TaskKind

# Words and answers' tokens are many more than examples: so many, drawn by counter, keep a 1024-wide model's singular
# value decomposition at seconds.
MOST_VECTORS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """``vectors`` (n, width) and ``labels`` (n,), whole numbers."""

    vectors: FloatArray
    labels: IntArray


def labelled_features(scorer: Scorer, kind: TaskKind, encoded: Encoded) -> Features:
    """The labelled vectors of some encoded examples; InputError for kinds that have none."""
    take = learning_of(kind).features
    if take is None:
        raise InputError(
            f"features of {kind} with labels",
            "that kind has no labels that a linear head reads",
            "LogME and H-score judge features by labels",
            "Leave the column out of these estimates",
        )
    parts = [part for hidden, batch in _hidden(scorer, encoded) for part in take(encoded, batch, hidden)]
    vectors, labels, order = (np.concatenate([part[i] for part in parts]) for i in range(3))
    kept = np.sort(np.argsort(order, kind="stable")[:MOST_VECTORS])
    return Features(vectors=vectors[kept].astype(np.float64), labels=labels[kept].astype(np.int64))


def mean_embedding(scorer: Scorer, encoded: Encoded) -> FloatArray:
    """(width,) the mean over rows of the mean over tokens of the last layer: TextEmb (Vu et al. 2020, section 3.1)."""
    total, rows = np.zeros(scorer.model.config.hidden_size), 0
    for hidden, batch in _hidden(scorer, encoded):
        total += token_means(hidden, batch).sum(axis=0)
        rows += len(batch.rows)
    return total / rows


def _hidden(scorer: Scorer, encoded: Encoded) -> Iterator[tuple[torch.Tensor, Batch]]:
    """Last hidden states (rows, tokens, width) of every batch, dropout off."""
    scorer.model.eval()
    for batch, hidden in scorer.each(_last_states, encoded):
        yield hidden, batch


@forward_only()
def _last_states(model: StiltsModel, batch: Batch) -> torch.Tensor:
    return model.hidden(batch.ids, batch.seen, batch.types).float()
