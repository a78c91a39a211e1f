"""What the MLflow view shows beside the runs: matrix, answer, champions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stilts.cli.champions import champions
from stilts.cli.compose import load_record
from stilts.fingerprint import Json
from stilts.store.store import Store
from stilts.study.record import NONE_ROW

if TYPE_CHECKING:
    from stilts.analysis.results import StudyResults

# What is looked for first lies at the top of the parent run's artifacts, all other files of the report below a folder.
_FIRST = ("report.html", "heatmap.png", "heatmap.svg")
_FOLDER = "report"


def show(
    study: str, store: Store, tracking_uri: str, *, rebuild: bool = False, running: bool = False
) -> dict[str, Json]:
    """Writes a study's runs, matrix, note and champions to MLflow; counts of runs by what was done with them.

    ``rebuild`` writes all of its runs anew. Unless it is ``running``, no run is left as if more were to come.
    """
    from stilts.analysis.results import StudyResults
    from stilts.report.note import markdown_note
    from stilts.tracking.champions import register_champions
    from stilts.tracking.predictions import prediction_tables
    from stilts.tracking.sync import sync

    record = load_record(study, store)
    results = StudyResults(record=record, store=store)
    report = sync(
        record,
        store,
        tracking_uri,
        artifacts=_artifacts(results),
        note=markdown_note(record, results.cells, results.answers),
        tables=prediction_tables(record, store, _chosen(results)),
        rebuild=rebuild,
        running=running,
    )
    register_champions(record.name, list(champions(results, store, report.run_ids)), tracking_uri)
    return {name: getattr(report, name) for name in ("created", "updated", "unchanged", "removed")}


def is_running(study: str, store: Store) -> bool:
    """Whether a live process holds a stage of the study; between two stages of a run there may be none."""
    return not store.leased().isdisjoint(load_record(study, store).stages)


def _artifacts(results: StudyResults) -> dict[str, Path | bytes]:
    from stilts.report.files import report_files

    files = {file.name: file.content for file in report_files(results)}
    placed = {name if name in _FIRST else f"{_FOLDER}/{name}": content for name, content in files.items()}
    scores = results.frame.drop(columns=["parts"])
    tables = {"matrix.csv": results.cells, f"{_FOLDER}/scores.csv": scores}
    return {**placed, **{name: table.to_csv(index=False).encode() for name, table in tables.items()}}


def _chosen(results: StudyResults) -> dict[str, set[str]]:
    """By column, the rows whose predictions are worth reading side by side: the winner and ``none``."""
    return {answer.target: {NONE_ROW, answer.row or NONE_ROW} for answer in results.answers}
