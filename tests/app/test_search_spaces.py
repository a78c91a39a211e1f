"""The studies that ship: each file and overlay is a study, the large ones are planned without a network, minis fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.app import hubless
from stilts.app.costing import planned
from stilts.errors import EncoderError, InputError
from stilts.study.overlay import StudyFiles
from stilts.study.study import Study

FOLDER = Path(__file__).resolve().parents[2] / "search_spaces"
FILES = [path for path in sorted(FOLDER.glob("*.yaml")) if "tasks" not in path.name]
# An overlay is named by the study that it is laid over.
OVERLAYS = [path for path in FILES if "." in path.stem]
MINIS = [path for path in OVERLAYS if path.stem.endswith(".mini")]
QUESTIONS = [FOLDER / f"{path.name.split('.')[0]}.yaml" for path in MINIS]


def members(path: Path, *overlays: Path) -> list[Any]:
    """A study file, or one for each encoder that it names."""
    over = [str(one) for one in overlays]
    files = StudyFiles.of(str(path), over)
    return [StudyFiles.of(str(path), over, one) for one in files.encoders] or [files]


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(repo: str, revision: str | None) -> Any:
        raise (EncoderError if "roberta" in repo or "Qwen" in repo else InputError)(repo, "away", next_step="Connect")

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(hubless, "ask_hub", away)
    monkeypatch.setattr(hubless, "hub_commit", away)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_a_study_and_says_what_it_asks(path: Path) -> None:
    below = [FOLDER / f"{path.name.split('.')[0]}.yaml", path] if path in OVERLAYS else [path]
    for files in members(*below):
        study = Study.load(files)
        assert study.file.question and study.rows and study.columns
        assert path not in (*QUESTIONS, *MINIS) or study.file.claims
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_each_of_the_seven_questions_has_a_study_in_little_under_a_name_of_its_own() -> None:
    assert len(QUESTIONS) == 7 and all(path in FILES for path in QUESTIONS)
    names = [Study.load(files).name for path in FILES if path not in OVERLAYS for files in members(path)]
    names += [Study.load(one).name for over, path in zip(MINIS, QUESTIONS, strict=True) for one in members(path, over)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_a_paper_scale_study_is_planned_without_a_network_for_eight_gpus(
    path: Path, no_hub: None, shared: Path, tmp_path: Path
) -> None:
    for files in members(path):
        cost, lines = planned(files, str(tmp_path / "store"))
        assert cost.gpu_hours > 1 and any("provisional" in note for note in cost.notes)
        assert all(line["memory_basis"] == "derived" for line in lines if line["kind"] == "train")
        # What a stage holds on one of its cards; cards have 80 GB.
        assert max(line["peak_memory_gib"] for line in lines if line["kind"] == "train") < 80e9 / 2**30


@pytest.mark.parametrize("over", MINIS, ids=lambda path: path.stem)
def test_a_study_in_little_is_foretold_to_take_at_most_25_minutes_on_two_cores(
    over: Path, shared: Path, tmp_path: Path
) -> None:
    seconds = 0.0
    for files in members(FOLDER / f"{over.name.split('.')[0]}.yaml", over):
        study = Study.load(files)
        assert (study.file.replicates.default.count or 0) >= 2, "one seed claims nothing"
        seconds += planned(files, str(tmp_path / "store"))[0].seconds / 2
    assert seconds <= 25 * 60
