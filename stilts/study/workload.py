"""What a stage has to compute, counted before it runs: tokens and floating-point operations. No clock, no device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stilts.study.config import TaskConfig
from stilts.study.stage import MODEL_FREE, EstimateStage, EvaluateStage, Stage, TrainStage
from stilts.tasks.encoder_shape import EncoderShape
from stilts.tasks.task import Task
from stilts.tasks.view import DataView

# Two operations for a multiply-add; backward takes twice what forward does (Kaplan et al. 2020, arXiv 2001.08361, 2.1).
_FORWARD, _BACKWARD = 2.0, 4.0
# Under an adapter: gradients of what a layer is given are needed, those of its own matrices are not.
_BACKWARD_FROZEN = 2.0
# Where nothing of the data was looked at: how full a row is of ``max_length``, and how many examples a view has.
_FULL_FRAC, _EXAMPLES = 0.4, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLengths:
    """How long examples are as a model gets them.

    ``tokens`` is the mean of an example's tokens over all of its rows, ``longest`` the tokens of the longest row,
    ``rows`` the mean number of rows of an example (windows, choices, sides of a pair), ``examples`` how many there are.
    ``units`` are what a batch counts of an example: its windows, else itself. ``is_measured``: data were looked at.
    """

    tokens: float
    longest: int
    rows: float
    examples: int
    is_measured: bool
    units: float = 1.0


# Asked for a task's views under a configuration.
LengthsOf: TypeAlias = Callable[[Task, TaskConfig, Sequence[DataView]], TextLengths]


def assumed_lengths(task: Task, config: TaskConfig, views: Sequence[DataView]) -> TextLengths:
    """Where data were not looked at: rows that are 40 % full, and 1,000 examples in a view without a limit."""
    examples = sum(view.limit or _EXAMPLES for view in views)
    tokens = _FULL_FRAC * config.max_length
    return TextLengths(tokens=tokens, longest=config.max_length, rows=1.0, examples=examples, is_measured=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """``flops`` of matrix products, ``tokens`` that go through the model, and optimizer ``steps``."""

    flops: float
    tokens: float
    steps: int = 0


def workload(stage: Stage, lengths: LengthsOf = assumed_lengths, *, gradient_checkpointing: bool = False) -> Workload:
    """The work of a stage, with ``gradient_checkpointing`` a second forward pass through the layers in training.

    An estimate that looks at no model has none.
    """
    shape = stage.encoder.shape
    if shape is None or (isinstance(stage, EstimateStage) and stage.estimate in MODEL_FREE):
        return Workload(flops=0.0, tokens=0.0)
    if isinstance(stage, TrainStage):
        return _training(stage, shape, lengths, 2 if gradient_checkpointing else 1)
    if isinstance(stage, EvaluateStage):
        views = [view for item in stage.items for view in (item.view, *item.pool)]
        found = lengths(stage.task, stage.config, list({view.digest: view for view in views}.values()))
        once = {item.view.digest for item in stage.items}
        passes = sum(1 if item.stress is None else item.stress.passes for item in stage.items) / len(once)
        return _looking(shape, passes * found.tokens * found.examples, found)
    parts = [lengths(data.task, data.config, data.views) for data in stage.data]
    works = [_looking(shape, part.tokens * part.examples, part) for part in parts]
    return Workload(flops=sum(one.flops for one in works), tokens=sum(one.tokens for one in works))


def _training(stage: TrainStage, shape: EncoderShape, lengths: LengthsOf, forward_passes: int) -> Workload:
    flops = tokens = 0.0
    total = sum(part.weight for part in stage.mixture)
    for part in stage.mixture:
        found = lengths(part.task, part.config, part.train)
        steps = stage.config.steps * part.weight / total
        seen = steps * part.config.batch_size * found.tokens / found.units
        tokens += seen
        backward = _BACKWARD if stage.config.adapter is None else _BACKWARD_FROZEN
        flops += seen * _per_token(shape, found) * (forward_passes * _FORWARD + backward)
        if part.task.kind.self_supervised:  # logits over the vocabulary, where tokens were masked
            masked = part.config.mask_frac * seen
            flops += masked * shape.width * (shape.vocabulary + shape.width) * (_FORWARD + _BACKWARD)
    return Workload(flops=flops, tokens=tokens, steps=stage.config.steps)


def _looking(shape: EncoderShape, tokens: float, found: TextLengths) -> Workload:
    return Workload(flops=tokens * _per_token(shape, found) * _FORWARD, tokens=tokens)


def _per_token(shape: EncoderShape, found: TextLengths) -> float:
    """Multiply-adds of a token: with each layer's weights, and with the keys and values of its row."""
    row = found.tokens / found.rows
    return shape.body_weights + shape.layers * 2 * row * shape.attended
