"""What the MLflow view shows: runs, and beside them matrix, answer and champions; and what keeps it up during a run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from stilts.analysis.best import answers_of
from stilts.analysis.claims import claims_of
from stilts.analysis.results import StudyResults
from stilts.app.champions import champions
from stilts.app.places import STORE_VARIABLE, TRACKING_VARIABLE, load_record
from stilts.errors import StiltsError
from stilts.execute.tracker import NullTracker, Tracker
from stilts.fingerprint import Json
from stilts.ledger.view import StudyView
from stilts.report.files import report_files
from stilts.report.note import markdown_note
from stilts.shown import remark
from stilts.store.store import Store
from stilts.study.record import NONE_ROW
from stilts.tracking.follower import Follower
from stilts.tracking.predictions import prediction_tables

# What is looked for first lies at the top of the parent run's artifacts, all other files of the report below a folder.
_FIRST = ("report.html", "heatmap.png", "heatmap.svg")
_FOLDER = "report"


def show(
    study: str, store: Store, tracking_uri: str, *, running: bool, rebuild: bool = False, runs_only: bool = False
) -> dict[str, Json]:
    """Writes a study's runs, matrix, note and champions to MLflow; counts of runs by what was done with them.

    ``rebuild`` writes all of its runs anew. Unless it is ``running``, no run is left as if more were to come.
    ``runs_only`` leaves all else as it is: report, note, tables of predictions and champions.
    """
    from stilts.tracking.champions import register_champions
    from stilts.tracking.sync import sync

    results = StudyResults(record=load_record(study, store), store=store)
    if runs_only:
        report = sync(results, tracking_uri, rebuild=rebuild, running=running)
    else:
        report = sync(
            results,
            tracking_uri,
            artifacts=_artifacts(results),
            note=markdown_note(results.record, results.cells, answers_of(results), claims_of(results)),
            answers=answers_of(results),
            tables=prediction_tables(results, _chosen(results)),
            rebuild=rebuild,
            running=running,
        )
        register_champions(results.record.name, list(champions(results, store, report.run_ids)), tracking_uri)
    return {name: getattr(report, name) for name in ("created", "updated", "unchanged", "removed")}


def tracker_of(study: str, store: Store, tracking: str) -> Tracker:
    """Follows a study's run: ``stilts track`` shows it every so often, and how it ended; of "none" nothing."""
    if tracking == "none":
        return NullTracker()
    if store.url.startswith("memory:"):
        return _ShownAtTheEnd(study=study, store=store, tracking_uri=tracking)
    return Follower(track_command(study), addresses=track_addresses(store.url, tracking))


def track_command(study: str) -> list[str]:
    """``stilts track`` of one study; where its store and MLflow are, ``track_addresses`` say."""
    return [sys.executable, "-m", "stilts.cli.main", "track", f"--study={study}"]


def track_addresses(store_url: str, tracking_uri: str) -> dict[str, str]:
    """The variables that say to ``track_command`` where store and MLflow are."""
    return {STORE_VARIABLE: store_url, TRACKING_VARIABLE: tracking_uri}


@dataclass(frozen=True, kw_only=True)
class _ShownAtTheEnd:
    """A Tracker of a store in memory, which no other process can read."""

    study: str
    store: Store
    tracking_uri: str

    def notify(self) -> None:
        """Nothing."""

    def close(self, *, finished: bool, timeout_s: float) -> bool:
        """Whether MLflow shows how the study ended, in whatever time that takes."""
        try:
            show(self.study, self.store, self.tracking_uri, running=False, runs_only=not finished)
        except StiltsError as error:
            remark(f"MLflow: {error}")
            return False
        return True


def is_running(study: str, store: Store) -> bool:
    """Whether a live process holds a stage of the study; between two stages of a run there may be none."""
    return StudyView(record=load_record(study, store), store=store).is_running


def _artifacts(results: StudyResults) -> dict[str, Path | bytes]:
    files = {file.name: file.content for file in report_files(results)}
    placed = {name if name in _FIRST else f"{_FOLDER}/{name}": content for name, content in files.items()}
    scores = results.frame.drop(columns=["parts"])
    tables = {"matrix.csv": results.cells, f"{_FOLDER}/scores.csv": scores}
    return {**placed, **{name: table.to_csv(index=False).encode() for name, table in tables.items()}}


def _chosen(results: StudyResults) -> dict[str, set[str]]:
    """By column, the rows whose predictions are worth reading side by side: the winner and ``none``."""
    return {answer.target: {NONE_ROW, answer.row or NONE_ROW} for answer in answers_of(results)}
