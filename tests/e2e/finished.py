"""A small finished store, filled once, and copies of it that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

from stilts import run
from stilts.app.running import RunOptions
from stilts.scheduling.events import RunReport
from tests.e2e.studies import study_fields, tiny_study

STUDY = "finished"
RATE = {"low": 1e-3, "high": 1e-1, "log": True}


def finished_study(folder: Path) -> Path:
    """The study's file: a row for each way to fill one, a trained and an untrained target, estimates."""
    fields = study_fields()
    defaults = {
        **fields["defaults"],
        "intermediate": {"steps": 6, "learning_rate": 3e-2, "limit": 16},
        "target": {"steps": 8, "learning_rate": 1e-2, "limit": 32},
        "limits": {"select": 40, "report": 40},
    }
    searched = {"task": "mnli", "search": {"target_learning_rate": RATE, "proposals": 2, "sampler": "random"}}
    return tiny_study(
        folder,
        name=STUDY,
        defaults=defaults,
        intermediates={"none": None, "mnli": None, "searched": searched},
        targets={"xnli": {"languages": ["en", "qaa"]}, "tatoeba": {"languages": ["qaa"]}},
        estimates=["size", "logme"],
    )


def fill_store(study: Path, store: Path, *, keep_weights: bool = True) -> RunReport:
    """Runs the study in this process; what the store has is not run again."""
    options = RunOptions(store=str(store), local=True, tracking="none", threads=1, keep_weights=keep_weights)
    return run(str(study), options)


def copied(store: Path, to: Path) -> Path:
    """A copy of the store whose files share nothing with it."""
    shutil.copytree(store, to, symlinks=True)
    return to
