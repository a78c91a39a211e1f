"""Writes the summary of an evaluate stage from its published outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stilts.fingerprint import Json
from stilts.metrics.metric import metric
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import EvaluateStage
from stilts.study.summary import EXAMPLES_FILE, summarise, summary_record


def write_summary(stage: EvaluateStage, store: ArtifactStore) -> None:
    """Adds to the stage's summary every output that is published and not in it. The caller holds the stage's lease."""
    name = summary_record(stage.stage_id)
    stored = store.read_record(name)
    found = stored.get("outputs") if isinstance(stored, dict) else None
    outputs: dict[str, Json] = dict(found) if isinstance(found, dict) else {}
    fresh = [key for key in stage.outputs if key not in outputs and store.is_done(key)]
    for key in fresh:
        outputs[key] = _summary(key, stage, store)
    if fresh:
        store.write_record(name, {"version": 1, "outputs": outputs})


def _summary(key: str, stage: EvaluateStage, store: ArtifactStore) -> Json:
    items, rows = read_examples(store.fetch(key) / EXAMPLES_FILE, metric(stage.task.metric).columns)
    return summarise(key, store.result(key), items, rows)


def read_examples(path: Path, columns: tuple[str, ...]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Source items and statistics of the examples in a Parquet file, in the order that they were written."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["item", *columns])
    return table["item"].to_pylist(), {name: table[name].to_numpy().astype(np.float64) for name in columns}
