"""``--with`` of every verb that takes a study."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stilts.cli.main import app
from stilts.errors import InputError
from tests.e2e.studies import tiny_study

WITH = "name: smaller\ntargets: {_: only, udpos: {languages: [en]}}\ndefaults: {target: {steps: 2}}\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "mini.yaml").write_text(WITH)
    return tiny_study(tmp_path)


def test_every_verb_that_takes_a_study_takes_overlays() -> None:
    taking = {
        command.callback.__name__
        for command in app.registered_commands
        if command.callback is not None and "study" in inspect.signature(command.callback).parameters
    }
    for name in taking:
        assert "--with" in CliRunner().invoke(app, [name, "--help"]).output, name
    assert taking >= {"run", "plan", "validate", "best", "report", "submit", "matrix", "explain", "export", "status"}


def test_plan_counts_what_the_overlay_makes_of_the_study(study: Path, tmp_path: Path) -> None:
    def planned(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(app, ["plan", str(study), "--store", str(tmp_path / "s"), "--json", *words])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    whole, part = planned(), planned("--with", str(tmp_path / "mini.yaml"))
    assert 0 < int(str(part["total"])) < int(str(whole["total"]))


def test_validate_shows_what_the_overlay_changed(study: Path, tmp_path: Path) -> None:
    words = ["validate", str(study), "--with", str(tmp_path / "mini.yaml"), "--store", str(tmp_path / "s")]
    done = CliRunner().invoke(app, words, catch_exceptions=False, env={"COLUMNS": "120"})

    assert done.exit_code == 0
    assert f"--with {tmp_path}/mini.yaml: valid" in done.stdout.replace("\n", "")
    assert any(line.split()[:2] == ["mini.yaml", "name"] and "smaller" in line for line in done.stdout.splitlines())


def test_an_overlay_lies_over_a_file() -> None:
    done = CliRunner().invoke(app, ["best", "demo", "--with", "mini.yaml"])

    assert isinstance(done.exception, InputError)
    assert '"demo" is the name of a study' in str(done.exception)
