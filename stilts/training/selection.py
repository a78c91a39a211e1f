"""Selection scores while a stage trains: each task of the mixture on its ``select`` views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stilts.data.encoded import Encoded
from stilts.data.load import is_kept_back
from stilts.kinds.learning import score_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.retrieved import Pool
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.metrics.item_scores import ItemScores, digest_of_items
from stilts.study.config import TaskConfig
from stilts.study.stage import MixturePart, TrainStage
from stilts.tasks.task import Task
from stilts.tasks.view import DataView
from stilts.training.reporter import Evaluation


def select_evaluation(scorer: Scorer, stage: TrainStage, prepared: Preparation) -> Evaluation:
    """Each task's mean score over languages and its examples' scores, for tasks that have ``select`` views."""
    scores: dict[str, float] = {}
    items: dict[str, dict[str, ItemScores]] = {}
    for part in stage.mixture:
        if part.select:
            found = [_on_view(scorer, part, view, prepared) for view in part.select]
            scores[part.task.learner] = sum(score for score, _ in found) / len(found)
            names = [view.language for view in part.select]
            several = len(set(names)) < len(names)
            keys = [f"{view.language}-{view.digest}" if several else view.language for view in part.select]
            items[part.task.learner] = {key: one for key, (_, one) in zip(keys, found, strict=True)}
    return Evaluation(scores=scores, items=items)


def score_view(
    scorer: Scorer, task: Task, config: TaskConfig, view: DataView, prepared: Preparation
) -> tuple[list[Any], Encoded, Scored]:
    """A view's examples, their encoding, and their scores."""
    scorer = replace(scorer, language=view.language)
    examples = prepared.examples(task, view)
    encoded = prepared.encoded(task, view, **config.lengths)
    scored = score_examples(scorer, task, config, encoded, examples)
    if is_kept_back(view):  # the labels are none: nothing is counted, and nothing kept as right
        scored = replace(scored, rows=np.zeros_like(scored.rows), chance=None)
        examples = [example.without_label() for example in examples]
    return examples, encoded, scored


def embedded_pool(
    scorer: Scorer, task: Task, config: TaskConfig, views: Sequence[DataView], prepared: Preparation
) -> Pool:
    """The candidates of some views, with their vectors."""
    candidates = [e for view in views for e in prepared.examples(task, view)]
    encoded = prepared.encoded_all(task, views, **config.lengths)
    return Pool(candidates=candidates, vectors=scorer.vectors(config, encoded))


def column_sums(task: Task, scored: Scored) -> dict[str, float]:
    """The metric's sufficient statistics, summed over examples."""
    return dict(zip(task.measure.columns, map(float, scored.rows.sum(axis=0)), strict=True))


def _on_view(scorer: Scorer, part: MixturePart, view: DataView, prepared: Preparation) -> tuple[float, ItemScores]:
    """The view's score (0 to 100) and its examples' scores."""
    examples, _, scored = score_view(scorer, part.task, part.config, view, prepared)
    measure = part.task.measure
    single = measure.example_scores(scored.rows).astype(np.float32)
    score = float(measure.score(column_sums(part.task, scored)))
    return score, ItemScores(items=digest_of_items([example.item for example in examples]), scores=single)
