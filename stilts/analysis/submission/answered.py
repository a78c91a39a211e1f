"""Answered: what an evaluation keeps of its examples, with the right answers where they are kept too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stilts.errors import StoreError
from stilts.metrics.metric import FloatArray, Metric
from stilts.store.artifact_store import ArtifactStore
from stilts.study.summary import EXAMPLES_FILE, NO_ANSWER_COLUMN, SPAN_COLUMN

TRUTH_COLUMN = "truth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The examples of one evaluation in the order of its data: source items, statistics, predictions, right answers.

    ``rows`` is (examples, columns of the metric). ``truths`` is None in evaluations from before it was kept, and where
    the task has no right answers. ``spans`` and ``differences`` (logits by which "no answer" beats the span) are None
    where every question has an answer.
    """

    items: tuple[str, ...]
    rows: FloatArray
    predictions: tuple[str, ...]
    truths: tuple[str, ...] | None
    spans: tuple[str, ...] | None = None
    differences: FloatArray | None = None

    def with_truths(self, truths: tuple[str, ...]) -> Answered:
        """The same examples with these right answers."""
        return replace(self, truths=truths)


def read_answered(key: str, metric: Metric, store: ArtifactStore) -> Answered:
    """The examples of one evaluation; StoreError where its files are gone or lack a column of the metric."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(store.fetch(key) / EXAMPLES_FILE)
    absent = {"item", "prediction", *metric.columns} - set(table.column_names)
    if absent:
        raise StoreError(
            f'examples of "{key}"',
            f"no column {', '.join(sorted(absent))} in {EXAMPLES_FILE}",
            "Predictions and statistics are read from there",
            "Delete the artifact and run the study again",
        )
    truths = table[TRUTH_COLUMN].to_pylist() if TRUTH_COLUMN in table.column_names else [None]
    spanned = {SPAN_COLUMN, NO_ANSWER_COLUMN} <= set(table.column_names)
    return Answered(
        items=tuple(table["item"].to_pylist()),
        rows=np.column_stack([table[name].to_numpy() for name in metric.columns]).astype(np.float64),
        predictions=tuple(table["prediction"].to_pylist()),
        truths=None if None in truths else tuple(map(str, truths)),
        spans=tuple(table[SPAN_COLUMN].to_pylist()) if spanned else None,
        differences=table[NO_ANSWER_COLUMN].to_numpy().astype(np.float64) if spanned else None,
    )
