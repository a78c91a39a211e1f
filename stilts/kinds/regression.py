"""Regression: a number from the first token, learned by squared errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn.functional import mse_loss

from stilts.data.collate import Batch, present
from stilts.data.decoded import row_text
from stilts.data.encode import TaskTokenizer, labelled, one_row_units, sequences, text_inputs
from stilts.data.encoded import Encoded
from stilts.kinds.learning import Learning
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer, head_outputs
from stilts.metrics.correlation import correlation_rows
from stilts.models.export import PlainForm
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.kinds.regression import value_range
from stilts.tasks.task import Task


def _encode(examples: Sequence[Any], encoder: TaskTokenizer) -> Encoded:
    rows, truncated = sequences(text_inputs(examples), encoder)
    values = [[labelled(e.value, e.item)] for e in examples]
    return replace(one_row_units(rows, truncated), targets=np.asarray(values, np.float32).reshape(-1, 1))


def _show(task: Task, encoded: Encoded, tokenizer: Tokenizer, units: Sequence[int]) -> list[str]:
    assert encoded.targets is not None
    low, high = task.labels
    return [f"{row_text(encoded, tokenizer, units[0])} -> {encoded.targets[units[0], 0]:g} of {low} to {high}"]


def _loss(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    """Squared errors in the task's own units, as in GLUE's baselines: on a scale of 0 to 5 they are below 25."""
    values = head_outputs(model, task.learner, batch)
    return mse_loss(values.float(), present(batch.targets), reduction="sum")


def _predict(s: Scorer, task: Task, config: TaskConfig, encoded: Encoded, examples: Sequence[Any]) -> Scored:
    values = np.zeros(len(encoded), np.float64)
    for batch, predicted in s.outputs(task.learner, encoded):
        values[batch.units] = predicted[:, 0].cpu().numpy()
    # Scored as kept, so that the score can be made from the texts again.
    texts = [f"{value:.6g}" for value in np.clip(values, *value_range(task.name, task.labels))]
    rows = correlation_rows([e.value for e in examples], [float(text) for text in texts])
    return Scored(rows=rows, predictions=tuple(texts), chance=0.0)


LEARNING = Learning(
    encode=_encode,
    show=_show,
    head=lambda task, make: make.sentence(1),
    loss=_loss,
    label_count=lambda batch: len(batch.units),
    predict=_predict,
    export=PlainForm(problem="regression", num_outputs=1),
)
