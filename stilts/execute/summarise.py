"""Writes the summary of an evaluate stage from its published outputs."""

from __future__ import annotations

from stilts.ledger.summary import SUMMARIES, Summary, output_summary
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import EvaluateStage


def write_summary(stage: EvaluateStage, store: ArtifactStore) -> None:
    """Adds to the stage's summary every output that is published and not in it. The caller holds the stage's lease."""
    stored = SUMMARIES.known(store, stage.stage_id)
    outputs = dict(stored.outputs) if stored else {}
    fresh = [key for key in stage.outputs if key not in outputs and store.is_done(key)]
    if fresh:
        found = {key: output_summary(store, key, stage.task.measure.columns) for key in fresh}
        SUMMARIES.write(store, Summary(outputs={**outputs, **found}), stage.stage_id)
