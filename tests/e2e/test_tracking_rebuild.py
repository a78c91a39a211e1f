"""MLflow is a view: after its database is deleted, the store alone gives the same runs again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.studies import stilts, tiny_study
from tests.tracking.mlflow_contents import parents_are_linked, shown, uri_of

pytestmark = pytest.mark.slow

# Where MLflow itself notes who wrote a run, with which file, from which folder.
_OF_THE_WRITER = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


def test_rebuilding_in_another_folder_gives_the_same_runs(tmp_path: Path) -> None:
    study, store = tiny_study(tmp_path / "study", replicates={"default": {"count": 2}}), tmp_path / "store"
    first, elsewhere = tmp_path / "first", tmp_path / "elsewhere"
    first.mkdir()
    elsewhere.mkdir()
    run = stilts("run", study, "--store", store, "--local", cwd=first)
    assert run.returncode == 0, run.stderr
    assert (first / "mlflow.db").is_file()
    before = contents(first)
    assert parents_are_linked(uri_of(first))
    # The parent, a run for each replicate (2 rows x 2 columns x 2) and one for each trained recipe.
    assert len(before) == 1 + 8 + 2
    assert sum(len(points) for one in before.values() for points in one["metrics"].values()) > 100
    assert {step for one in before.values() for points in one["metrics"].values() for step, _, _ in points} > {0, 30}

    again = stilts("track", "--store", store, "--json", cwd=first)
    assert again.returncode == 0, again.stderr
    assert changes(again.stdout) == {"created": 0, "updated": 0, "unchanged": 11, "removed": 0}
    assert contents(first) == before

    (first / "mlflow.db").unlink()
    shutil.rmtree(study.parent)
    rebuilt = stilts("track", "--rebuild", "--store", store, "--json", cwd=elsewhere)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert changes(rebuilt.stdout)["created"] == 11
    assert (elsewhere / "mlflow.db").is_file() and not (first / "mlflow.db").exists()
    assert contents(elsewhere) == before
    assert parents_are_linked(uri_of(elsewhere))

    # Rebuilding what is there writes it anew, and gives the same once more; tracking finds nothing to do then.
    anew = stilts("track", "--rebuild", "--store", store, "--json", cwd=elsewhere)
    assert changes(anew.stdout)["unchanged"] == 0
    assert contents(elsewhere) == before
    again = stilts("track", "--store", store, "--json", cwd=elsewhere)
    assert changes(again.stdout) == {"created": 0, "updated": 0, "unchanged": 11, "removed": 0}
    assert contents(elsewhere) == before


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    runs = shown(uri_of(folder))
    for run in runs.values():
        run["tags"] = {name: value for name, value in run["tags"].items() if name not in _OF_THE_WRITER}
    return runs


def changes(printed: str) -> dict[str, int]:
    counts: dict[str, int] = json.loads(printed)["studies"]["little"]
    return counts
