"""Where verbs write when the user names a place: never through a link, never into what is somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stilts.app import exporting, places, results, submitting
from stilts.cli.main import app
from stilts.errors import InputError
from tests.report.studies import Shown, shown

Command = Callable[..., object]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"))


@pytest.fixture
def command(study: Shown, monkeypatch: pytest.MonkeyPatch) -> Command:
    for module in (places, results):
        monkeypatch.setattr(module, "open_store_at", lambda given: study.results.store)
    for module in (results, exporting, submitting):
        monkeypatch.setattr(module, "load_record", lambda name, store: study.record)
    return lambda *words: CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    return tmp_path / "mine"


def untouched(mine: Path) -> bool:
    return [(each.name, each.read_text()) for each in mine.iterdir()] == [("notes.txt", "mine")]


def test_report_names_what_is_there_and_writes_nothing(command: Command, mine: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"notes\.txt"):
        command("report", "study", "--out", mine)
    assert untouched(mine)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").symlink_to(mine / "notes.txt")
    with pytest.raises(InputError, match=r"report\.html \(a symbolic link\)"):
        command("report", "study", "--out", tmp_path / "out")
    assert untouched(mine) and len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize("aim", ["mine", "empty", "gone"])
def test_export_follows_no_link(command: Command, mine: Path, tmp_path: Path, aim: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "model").symlink_to(tmp_path / aim)
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "xnli").symlink_to(tmp_path / aim)
    for words in (["--target", "xnli", "--model", "model"], ["--submission", "predictions"]):
        with pytest.raises(InputError, match="it is a symbolic link"):
            command("export", "study", *words[:-1], tmp_path / words[-1])
    assert untouched(mine) and not list((tmp_path / "empty").iterdir()) and not (tmp_path / "gone").exists()


def test_replay_draws_into_no_link(command: Command, mine: Path, tmp_path: Path) -> None:
    table = tmp_path / "matrix.csv"
    lines = [
        f"{source},{target},{60 + at},{seed}" for at, source in enumerate("abc") for target in "xy" for seed in "12"
    ]
    table.write_text("source,target,score,seed\n" + "\n".join(lines) + "\n")
    (tmp_path / "regret.svg").symlink_to(mine / "notes.txt")
    words = ["replay", table, "--policy", "random", "--budget", "0.5", "--repeats", "1", "--plot"]
    with pytest.raises(InputError, match="a symbolic link stands there"):
        command(*words, tmp_path / "regret.svg")
    assert untouched(mine)
    command(*words, tmp_path / "new.svg")
    command(*words, tmp_path / "new.svg")
    assert (tmp_path / "new.svg").read_text().startswith("<?xml")
