"""Losses: per task kind, the sum over a batch and the number of labels it is to be divided by.

The loss of a step is the sum over the *global* batch divided by its label count, so cutting it into
micro-batches changes rounding only (DESIGN rule 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from stilts.data.collate import Batch
from stilts.data.encoded import IGNORED
from stilts.models.heads import pooled
from stilts.models.model import StiltsModel
from stilts.study.config import TaskConfig
from stilts.tasks.task import Kind, Task


def label_count(task: Task, batch: Batch) -> int:
    """How many labels a batch has: tokens, examples, yes or no of each label, span ends, both directions of a pair."""
    if task.kind in (Kind.TAGGING, Kind.MASKED_LM):
        return int((_present(batch.row_labels) != IGNORED).sum())
    if task.kind is Kind.MULTI_LABEL:
        return _present(batch.targets).numel()
    return len(batch.units) * (2 if task.kind in (Kind.SPAN_QA, Kind.RETRIEVAL) else 1)


def loss_sum(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    """The summed loss of a batch, a scalar in fp32: nats, or squared units of a regression's scale."""
    return _LOSSES[task.kind](model, task, config, batch)


def _classification(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = model.heads[task.learner](model.hidden(batch.ids, batch.mask))
    return cross_entropy(logits.float(), _present(batch.labels), reduction="sum")


def _regression(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    """Squared errors in the task's own units, as in GLUE's baselines: on a scale of 0 to 5 they are below 25."""
    values = model.heads[task.learner](model.hidden(batch.ids, batch.mask))
    return mse_loss(values.float(), _present(batch.targets), reduction="sum")


def _multi_label(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = model.heads[task.learner](model.hidden(batch.ids, batch.mask))
    return binary_cross_entropy_with_logits(logits.float(), _present(batch.targets), reduction="sum")


def _multiple_choice(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = model.heads[task.learner](model.hidden(batch.ids, batch.mask))
    return cross_entropy(logits.float().view(-1, batch.rows_per_unit), _present(batch.labels), reduction="sum")


def _tagging(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = model.heads[task.learner](model.hidden(batch.ids, batch.mask)).float()
    return cross_entropy(logits.flatten(0, 1), _present(batch.row_labels).flatten(), reduction="sum")


def _span_qa(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    logits = model.heads[task.learner](model.hidden(batch.ids, batch.mask)).float()
    logits = logits.masked_fill(~batch.mask.unsqueeze(-1), float("-inf"))
    spans = _present(batch.spans)
    first = cross_entropy(logits[..., 0], spans[:, 0], reduction="sum")
    return first + cross_entropy(logits[..., 1], spans[:, 1], reduction="sum")


def _masked_lm(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    labels = _present(batch.row_labels)
    hidden = model.hidden(batch.ids, batch.mask)[labels != IGNORED]
    return cross_entropy(model.masked_logits(hidden).float(), labels[labels != IGNORED], reduction="sum")


def _retrieval(model: StiltsModel, task: Task, config: TaskConfig, batch: Batch) -> torch.Tensor:
    """In-batch softmax in both directions over cosines divided by ``temperature`` (a dual encoder, one for both sides).

    Needs the whole global batch at once: the other pairs of the batch are the wrong answers.
    """
    hidden = model.hidden_at(batch.ids, batch.mask, config.layer).float()
    vectors = pooled(hidden, batch.mask, config.pooling)
    similarity = vectors[0::2] @ vectors[1::2].T / config.temperature
    right = torch.arange(len(similarity), device=similarity.device)
    there = cross_entropy(similarity, right, reduction="sum")
    return there + cross_entropy(similarity.T, right, reduction="sum")


def _present(tensor: torch.Tensor | None) -> torch.Tensor:
    assert tensor is not None, "encoded data of this kind carry these labels"
    return tensor


_LOSSES: Mapping[Kind, Callable[[StiltsModel, Task, TaskConfig, Batch], torch.Tensor]] = {
    Kind.CLASSIFICATION: _classification,
    Kind.MULTIPLE_CHOICE: _multiple_choice,
    Kind.TAGGING: _tagging,
    Kind.SPAN_QA: _span_qa,
    Kind.MASKED_LM: _masked_lm,
    Kind.RETRIEVAL: _retrieval,
    Kind.REGRESSION: _regression,
    Kind.MULTI_LABEL: _multi_label,
}
