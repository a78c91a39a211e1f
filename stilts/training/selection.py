"""Selection scores while a stage trains: each task of the mixture on its ``select`` views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stilts.data.encoded import Encoded
from stilts.data.prepare import Preparation
from stilts.metrics.metric import metric
from stilts.study.config import TaskConfig
from stilts.study.stage import MixturePart, TrainStage
from stilts.tasks.task import Task
from stilts.tasks.view import DataView
from stilts.training.predict import Scored, Scorer, score_examples


def selection_scores(scorer: Scorer, stage: TrainStage, prepared: Preparation) -> dict[str, float]:
    """The mean over languages of each task's score (0 to 100), for tasks that have ``select`` views."""
    return {part.task.learner: _mean(_scores(scorer, part, prepared)) for part in stage.mixture if part.select}


def score_view(
    scorer: Scorer, task: Task, config: TaskConfig, view: DataView, prepared: Preparation
) -> tuple[list[Any], Encoded, Scored]:
    """A view's examples, their encoding, and their scores."""
    examples = prepared.examples(task, view)
    encoded = prepared.encoded(task, view, max_length=config.max_length, doc_stride=config.doc_stride)
    return examples, encoded, score_examples(scorer, task, config, encoded, examples)


def column_sums(task: Task, scored: Scored) -> dict[str, float]:
    """The metric's sufficient statistics, summed over examples."""
    return dict(zip(metric(task.metric).columns, map(float, scored.rows.sum(axis=0)), strict=True))


def _scores(scorer: Scorer, part: MixturePart, prepared: Preparation) -> Iterator[float]:
    for view in part.select:
        _, _, scored = score_view(scorer, part.task, part.config, view, prepared)
        yield float(metric(part.task.metric).score(column_sums(part.task, scored)))


def _mean(scores: Iterator[float]) -> float:
    values = list(scores)
    return sum(values) / len(values)
