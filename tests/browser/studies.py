"""The study that the browser tests look at: finished, of made-up scores, small enough to track in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.synthetic_study import Size, fill
from stilts.store import make_store
from stilts.study.record import StudyRecord
from tests.e2e.studies import stilts

SIZE = Size(rows=4, columns=3, seeds=2, languages=4, items=60)


@dataclass(frozen=True)
class Finished:
    """A study's record, its store, and the folder in which its MLflow database is."""

    record: StudyRecord
    store: Path
    folder: Path

    @property
    def name(self) -> str:
        return self.record.name


def finished(folder: Path) -> Finished:
    """Fills a store below ``folder``; its weights are gone, as they are of most models of a study that is done."""
    record = fill(make_store(str(folder / "store")), "synthetic", SIZE)
    return Finished(record=record, store=folder / "store", folder=folder)


def track(study: Finished) -> None:
    done = stilts("track", "--store", study.store, cwd=study.folder)
    assert done.returncode == 0, done.stderr


def write_report(study: Finished) -> Path:
    """The report's page, written by the command."""
    done = stilts("report", study.name, "--store", study.store, "--out", study.folder / "report", cwd=study.folder)
    assert done.returncode == 0, done.stderr
    return study.folder / "report" / "report.html"
