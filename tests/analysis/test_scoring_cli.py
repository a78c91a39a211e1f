"""`stilts score` as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stilts.analysis.scoring.benchmarks import XTREME
from stilts.cli.main import app
from tests.analysis.submissions import TASKS, write


def test_json_and_text(tmp_path: Path) -> None:
    sides = [str(side) for side in write(tmp_path, XTREME)]
    shown = CliRunner().invoke(app, ["score", *sides, "--benchmark", "xtreme", "--json"])
    assert shown.exit_code == 0, shown.output
    value = json.loads(shown.stdout)
    assert value["udpos"]["f1"]["de"] == pytest.approx(TASKS["udpos"][2])
    assert "questions have no answer" in shown.stderr
    text = CliRunner().invoke(app, ["score", *sides]).stdout
    assert f"All tasks: {value['all_task']:.2f}." in text and "Without retrieval: " in text
    partly = CliRunner().invoke(app, ["score", *sides, "--tasks", "xnli, panx"]).stdout
    assert "No average over all of xtreme: not scored are bucc2018" in partly


def test_a_malformed_file_ends_with_status_2_and_one_message(tmp_path: Path) -> None:
    sides = write(tmp_path, XTREME, ("mlqa",))
    (sides[0] / "mlqa" / "test-hi.json").write_text('{"q1": ')
    command = [sys.executable, "-m", "stilts.cli.main", "score", *map(str, sides)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and not ended.stdout
    (said,) = (line for line in ended.stderr.splitlines() if not line.endswith(" ..."))  # it may say that it takes long
    assert said.startswith("DataError: ") and "test-hi.json, line 1: not JSON" in said
