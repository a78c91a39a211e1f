"""Per-example statistics of evaluations, read from the store for resampling."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stilts.analysis.matrix import done_in_cells
from stilts.errors import StoreError
from stilts.metrics.metric import Metric, metric
from stilts.metrics.resampling import LanguageRows, ReplicateRows, Side, resample
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import Column, Replicate, StudyRecord

EXAMPLES_FILE = "examples.parquet"


def column_sides(
    record: StudyRecord, column: Column, frame: pd.DataFrame, store: ArtifactStore, *, draws: int = 1000, seed: int = 0
) -> dict[str, Side]:
    """The rows of a column that have done replicates, by name, scored on ``report`` and resampled together.

    Searched rows stand with their chosen proposal. StoreError where the examples of a done evaluation are gone.
    """
    chosen = metric(column.metric)
    done = done_in_cells(record, frame)
    rows: dict[str, list[ReplicateRows]] = {}
    for replicate in record.replicates:
        if replicate.column == column.name and replicate.replicate_id in done:
            rows.setdefault(replicate.row, []).append(replicate_rows(replicate, chosen, store))
    ordered = {row.name: rows[row.name] for row in record.rows if row.name in rows}
    return resample(ordered, chosen, draws=draws, seed=seed) if ordered else {}


def replicate_rows(replicate: Replicate, metric: Metric, store: ArtifactStore, *, use: str = "report") -> ReplicateRows:
    """A replicate's examples in every language of the use; StoreError where their files are gone."""
    languages = {name: language_rows(key, metric, store) for name, key in replicate.outputs[use].items()}
    return ReplicateRows(
        intermediate_seed=replicate.intermediate_seed, target_seed=replicate.target_seed, languages=languages
    )


def language_rows(key: str, metric: Metric, store: ArtifactStore) -> LanguageRows:
    """Source items and the metric's columns of one evaluation, in the order that they were written."""
    import pyarrow.parquet as parquet

    path = store.fetch(key) / EXAMPLES_FILE
    columns = ["item", *metric.columns]
    absent = set(columns) - set(parquet.read_schema(path).names)
    if absent:
        raise StoreError(
            f'examples of "{key}"',
            f"no column {', '.join(sorted(absent))} in {EXAMPLES_FILE}",
            f'The metric "{metric.name}" is resampled from them',
            "Delete the artifact and run the study again",
        )
    table = parquet.read_table(path, columns=columns)
    values = np.column_stack([table[name].to_numpy() for name in metric.columns])
    return LanguageRows(items=np.array(table["item"].to_pylist(), np.str_), values=values.astype(np.float64))
