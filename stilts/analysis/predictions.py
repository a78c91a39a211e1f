"""What two models answered, example by example: read from the published evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.metrics.metric import FloatArray, Metric
from stilts.store.artifact_store import ArtifactStore
from stilts.study.summary import EXAMPLES_FILE


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


def read_predictions(key: str, metric: Metric, store: ArtifactStore) -> Predictions:
    """The examples of one evaluation; StoreError where its files are gone."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(store.fetch(key) / EXAMPLES_FILE)
    values = {name: np.asarray(table[name].to_numpy(), np.float64) for name in metric.columns}
    return Predictions(
        items=tuple(table["item"].to_pylist()),
        scores=_scores(values, metric),
        answers=tuple(table["prediction"].to_pylist()),
        gold=tuple(map(str, table["truth"].to_pylist())) if "truth" in table.column_names else None,
    )


def read_answers(key: str, store: ArtifactStore) -> Sequence[str]:
    """The answers alone, in the order of the examples; StoreError where the files are gone."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(store.fetch(key) / EXAMPLES_FILE, columns=["prediction"])
    return [str(answer) for answer in table["prediction"].to_pylist()]


def _scores(values: dict[str, NDArray[np.float64]], metric: Metric) -> FloatArray:
    """Each example scored by itself; one with nothing to find and nothing found (0/0 spans) is right.

    One example has no correlation: a predicted number scores 100 / (1 + its distance from gold).
    """
    if metric.name == "pearson":
        return 100.0 / (1.0 + np.abs(values["x"] - values["y"]))
    scores = np.asarray(metric.score(dict(values)), np.float64)
    if metric.name in ("span_f1", "chunk_f1"):
        return np.where(values["predicted"] + values["gold"] == 0, 100.0, scores)
    return scores
