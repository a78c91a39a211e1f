"""``stilts init``: a folder to start from, whole and unbroken, and nothing of the user's touched."""

from __future__ import annotations

import fnmatch
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stilts.app.starting import starter_files
from stilts.cli.main import app
from stilts.errors import InputError
from stilts.study.study import Study
from stilts.tasks.user_tasks import read_tasks
from tests.e2e.studies import ROOT, stilts

STARTER = "stilts/app/starter"


def invoked(*words: object) -> str:
    done = CliRunner().invoke(app, ["init", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_folder_has_study_tasks_and_data_and_the_next_commands_are_said(tmp_path: Path) -> None:
    told = invoked(tmp_path / "mine")
    held = {path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert held == set(starter_files())
    study = tmp_path / "mine" / "study.yaml"
    assert told.splitlines()[-3:] == [f"  stilts {verb} {study}" for verb in ("validate", "run", "best")]
    file = Study.load(study).file
    tasks = read_tasks(study.parent / str(file.tasks))
    assert {task.kind.name for task in tasks.tasks} == {"classification", "tagging"}
    assert {dataset.files.reader for dataset in tasks.datasets if dataset.files} == {"text_tsv", "bio_columns"}
    assert "encoder: {hub: " in study.read_text() and file.encoder.toy


@pytest.mark.parametrize(
    ("folder", "name"),
    [("mine", "mine"), ("2024 trial", "2024_trial"), ("_x", "x"), ("ой", "first"), ("1e3", "1e3"), ("null", "null")],
)
def test_a_study_is_named_after_its_folder(folder: str, name: str, tmp_path: Path) -> None:
    value = json.loads(invoked(tmp_path / folder, "--json"))
    assert Study.load(tmp_path / folder / "study.yaml").name == name
    assert ("'" in value["next"][0]) == (folder in ("2024 trial", "ой")), "a path is typed as the shell reads it"


def test_an_empty_working_folder_can_be_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "  stilts run study.yaml" in invoked(".").splitlines()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"it holds study\.yaml"):
        invoked(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"] and (tmp_path / "study.yaml").read_text()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Not a directory"):
        invoked(tmp_path / "file" / "below")


def test_a_wheel_has_what_a_folder_starts_from() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["stilts"]}, "all files below stilts/ but those that git ignores"
    lines = (ROOT / ".gitignore").read_text().split()
    paths = [f"{STARTER}/{name}" for name in starter_files()]
    assert len(paths) == 8 and all((ROOT / path).is_file() for path in paths)
    assert not [path for path in paths if ignored(path, lines)]
    assert ignored("stilts/app/x.pyc", lines) and ignored(".venv/x", lines)


def ignored(path: str, lines: Sequence[str]) -> bool:
    """Whether a pattern of .gitignore fits the path, one of its folders, or one of their names."""
    parents = [path, *(parent.as_posix() for parent in Path(path).parents)]
    return any(
        fnmatch.fnmatch(parent if line.startswith("/") else Path(parent).name, line.strip("/"))
        for line in lines
        for parent in parents
    )


def test_no_sentence_stands_in_train_and_test_and_languages_say_the_same() -> None:
    files = {name: content.decode() for name, content in starter_files().items() if name.startswith("data/")}
    reviews = {key: files[f"data/reviews-{key}.tsv"].splitlines() for key in ("train.en", "test.en", "test.de")}
    assert len(set(reviews["train.en"])) == 200 and not set(reviews["train.en"]) & set(reviews["test.en"])
    assert [line.split("\t")[1] for line in reviews["test.en"]] == [line.split("\t")[1] for line in reviews["test.de"]]
    names = {key: files[f"data/names-{key}.conll"].split("\n\n") for key in ("train.en", "test.en", "test.de")}
    assert {key: len(blocks) for key, blocks in names.items()} == {"train.en": 120, "test.en": 40, "test.de": 40}
    assert all(block.startswith("# sentence ") for blocks in names.values() for block in blocks)


def test_what_was_written_is_valid(tmp_path: Path) -> None:
    invoked(tmp_path / "mine")
    done = stilts("validate", "mine/study.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    used = {(line["of"], line["use"], line["language"]): line["examples"] for line in value["views"]}
    assert used["reviews", "report", "de"] == 48 and used["names", "report", "de"] == 40
    assert used["reviews", "train", "en"] + used["reviews", "select", "en"] == 200
    assert not any(line["truncated"] for line in value["views"])


@pytest.mark.slow
def test_what_was_written_runs_and_answers(tmp_path: Path) -> None:
    invoked(tmp_path / "mine")
    run = stilts("run", "mine/study.yaml", "--local", "--tracking-uri", "none", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    matrix, best = (stilts(verb, "mine/study.yaml", cwd=tmp_path) for verb in ("matrix", "best"))
    assert (matrix.returncode, best.returncode) == (0, 0), matrix.stderr + best.stderr
    rows = [line.split()[0] for line in matrix.stdout.splitlines() if line.startswith("  ") and line.strip()]
    assert {"intermediate", "none", "reviews", "names"} <= set(rows)
    assert [line.split(":")[0] for line in best.stdout.splitlines()[:2]] == ["reviews", "names"]
