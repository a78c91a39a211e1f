"""The three names that ``stilts`` gives to Python, and the script that is submitted as a Ray job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stilts import Study, load_matrix, run
from stilts.app.running import RunOptions
from tests.e2e.studies import DEADLINE_S, ROOT, environment, opened, tiny_study

pytestmark = pytest.mark.slow


def test_run_fills_the_matrix_that_load_matrix_gives(tmp_path: Path) -> None:
    path, store = tiny_study(tmp_path / "study"), str(tmp_path / "store")
    study = Study.load(path)
    options = RunOptions(store=store, local=True, tracking="none", threads=1)
    report = run(study, options)
    assert not report.failed and not report.pruned and not report.interrupted
    # none and mnli; two fine-tunings and two evaluations of each; and mnli itself.
    assert report.executed == len(report.done) == 9

    matrix = load_matrix(path, store=store)
    lines = matrix[matrix["use"] == "report"]
    cells = set(zip(lines["row"], lines["column"], lines["language"], strict=True))
    assert cells == {
        (row, column, one) for row in ("none", "mnli") for column in ("xnli", "udpos") for one in ("en", "qaa")
    }
    assert set(matrix["state"]) == {"done"} and matrix["score"].between(0, 100).all()
    scores = lines.pivot_table(index="row", columns=["column", "language"], values="score")
    gains = scores.loc["mnli"] - scores.loc["none"]
    assert len(gains) == 4 and gains.notna().all()

    again = run(str(path), options)
    assert again.executed == 0 and not again.done
    assert load_matrix("little", store=store).equals(matrix)


def test_the_ray_job_runs_a_study(tmp_path: Path) -> None:
    study, store = tiny_study(tmp_path / "study", targets={"udpos": {"languages": ["en", "qaa"]}}), tmp_path / "store"
    words = [sys.executable, str(ROOT / "ray_jobs" / "run_study.py"), str(study), "--store", str(store)]
    done = subprocess.run(
        [*words, "--tracking-uri", "none", "--json"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["executed"] == 5
    assert len([key for key in opened(store).done() if "/" not in key]) == 3
