"""What two models answered, example by example: read from the published evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.ledger.examples import read_answered, read_predictions
from stilts.metrics.metric import FloatArray, Metric
from stilts.store.artifact_store import ArtifactStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """One model's answers in one language: source item, score 0..100 and answer of each example, gold where stored."""

    items: tuple[str, ...]
    scores: FloatArray
    answers: tuple[str, ...]
    gold: tuple[str, ...] | None

    def comparable(self, other: Predictions) -> bool:
        """Whether both are of the same examples in the same order."""
        return self.items == other.items


def predictions_of(key: str, metric: Metric, store: ArtifactStore) -> Predictions:
    """The examples of one evaluation; StoreError where its files are gone, DamagedError where they are altered."""
    found = read_answered(store, key, metric.columns)
    values = {name: found.rows[:, number] for number, name in enumerate(metric.columns)}
    return Predictions(items=found.items, scores=_scores(values, metric), answers=found.predictions, gold=found.truths)


def answers_of(key: str, store: ArtifactStore) -> Sequence[str]:
    """The answers alone, in the order of the examples; errors as of ``predictions_of``."""
    return read_predictions(store, key)


def _scores(values: dict[str, NDArray[np.float64]], metric: Metric) -> FloatArray:
    """Each example scored by itself; one with nothing to find and nothing found (0/0 spans) is right.

    One example has no correlation: a predicted number scores 100 / (1 + its distance from gold).
    """
    if metric.name == "pearson":
        return 100.0 / (1.0 + np.abs(values["x"] - values["y"]))
    scores = np.asarray(metric.score(dict(values)), np.float64)
    if metric.columns == ("tp", "predicted", "gold") and metric.name != "pair_f1":
        return np.where(values["predicted"] + values["gold"] == 0, 100.0, scores)
    return scores
