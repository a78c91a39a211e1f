"""Champions: per target, the fine-tuned model of the cell that is best on ``select`` so far. Its weights stay."""

from __future__ import annotations

from stilts.analysis.matrix import cells, load_matrix, replicate_scores
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import StudyRecord


def champion_stages(record: StudyRecord, store: ArtifactStore) -> dict[str, str]:
    """The train stage of each target's champion: in the row with the best select score, the replicate with the best.

    A target without select scores (retrieval under ``english_dev``) has none.
    """
    frame = load_matrix(record, store)
    by_cell = cells(record, frame, "select")
    by_replicate = replicate_scores(frame, "select")
    stages = {replicate.replicate_id: replicate.target_stage for replicate in record.replicates}
    champions: dict[str, str] = {}
    for column in record.columns:
        scored = by_cell[(by_cell["column"] == column.name) & by_cell["score"].notna()]
        if scored.empty:
            continue
        row = scored.sort_values("score", ascending=False, kind="stable")["row"].iloc[0]
        own = by_replicate[(by_replicate["column"] == column.name) & (by_replicate["row"] == row)]
        own = own[own["score"].notna()].sort_values("score", ascending=False, kind="stable")
        stage = stages.get(own["replicate_id"].iloc[0]) if len(own) else None
        if stage is not None:
            champions[column.name] = stage
    return champions
