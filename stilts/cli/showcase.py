"""What the MLflow view shows beside the runs: matrix, answer, champions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stilts.cli.champions import champion_stages
from stilts.cli.compose import load_record
from stilts.fingerprint import Json
from stilts.store.store import Store
from stilts.study.record import StudyRecord

if TYPE_CHECKING:
    from stilts.tracking.champions import Champion


def show(study: str, store: Store, tracking_uri: str, *, rebuild: bool = False) -> dict[str, Json]:
    """Writes a study's runs, matrix, note and champions to MLflow; counts of runs by what was done with them.

    ``rebuild`` writes all of its runs anew.
    """
    from stilts.analysis.best import best
    from stilts.analysis.matrix import cells, load_matrix
    from stilts.report.heatmap import heat_map
    from stilts.report.note import markdown_note
    from stilts.report.page import matrix_page
    from stilts.tracking.champions import register_champions
    from stilts.tracking.sync import sync

    record = load_record(study, store)
    frame = load_matrix(record, store)
    table, answers = cells(record, frame), best(record, store)
    artifacts: dict[str, Path | bytes] = {
        "matrix.csv": table.to_csv(index=False).encode(),
        "scores.csv": frame.drop(columns=["parts"]).to_csv(index=False).encode(),
        "matrix.png": heat_map(table, record, format="png"),
        "matrix.html": matrix_page(table, frame, record, answers).encode(),
    }
    note = markdown_note(record, table, answers)
    report = sync(record, store, tracking_uri, artifacts=artifacts, note=note, rebuild=rebuild)
    register_champions(record.name, _champions(record, store, dict(report.run_ids)), tracking_uri)
    return {name: getattr(report, name) for name in ("created", "updated", "unchanged", "removed")}


def _champions(record: StudyRecord, store: Store, run_ids: dict[tuple[str, str], str]) -> list[Champion]:
    from stilts.analysis.matrix import load_matrix, replicate_scores
    from stilts.tracking.champions import Champion

    scores = replicate_scores(load_matrix(record, store), "report").set_index("replicate_id")["score"]
    champions = []
    for target, stage_id in champion_stages(record, store).items():
        replicate = next(r for r in record.replicates if r.column == target and r.target_stage == stage_id)
        if store.gone(stage_id):
            continue
        champions.append(
            Champion(
                target=target,
                intermediate=replicate.row,
                stage_id=stage_id,
                source=str(store.fetch(stage_id)),
                score=float(scores[replicate.replicate_id]),
                run_id=run_ids.get(("replicate_id", replicate.replicate_id)),
            )
        )
    return champions
