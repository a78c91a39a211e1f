"""Tasks that train in another language than English, said and unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.field.brought import NLI, brought, counts, pair_lines, refused, taken, texts


def trained_in(folder: Path, *languages: str, **declared: Any) -> Path:
    """A study whose training data are in the languages."""
    files = {f"train-{code}": pair_lines(texts("train", code)) for code in languages}
    files |= {f"test-{code}": pair_lines(texts("test", code)) for code in ("en", "de")}
    return brought(folder, files, train_languages=languages, **declared)


@pytest.mark.parametrize("language", ["de", "zh-Hans", "sw", "en-US"])
def test_train_in_another_language_is_told(tmp_path: Path, language: str) -> None:
    refused(
        trained_in(tmp_path, language),
        'task "mine", train',
        f"in {language}, and it trains in en",
        f"train_language: {language}",
    )


@pytest.mark.parametrize("language", ["de", "zh-Hans", "sw", "en-US"])
def test_it_trains_there_where_that_is_said(tmp_path: Path, language: str) -> None:
    value = taken(trained_in(tmp_path, language, task={"train_language": language}))
    used = {view["use"]: view["language"] for view in value["views"] if view["use"] in ("train", "select")}
    assert used == {"train": language, "select": language}
    assert counts(value) == {"en": 12, "de": 12}


def test_of_several_languages_it_trains_in_the_one_that_is_said(tmp_path: Path) -> None:
    value = taken(trained_in(tmp_path / "english", "de", "en", "sw"))
    assert [view["language"] for view in value["views"] if view["use"] == "train"] == ["en"]
    value = taken(trained_in(tmp_path / "swahili", "de", "en", "sw", task={"train_language": "sw"}))
    assert [view["language"] for view in value["views"] if view["use"] == "train"] == ["sw"]


@pytest.mark.parametrize("language", ["fr", "DE", "German", "zz-top"])
def test_a_language_of_training_that_there_is_not_is_told(tmp_path: Path, language: str) -> None:
    refused(trained_in(tmp_path, "de", task={"train_language": language}), 'task "mine"', language, "de")


def test_a_row_of_the_same_task_is_told_too(tmp_path: Path) -> None:
    study = trained_in(tmp_path, "de")
    study.write_text(study.read_text().replace('"none": null', '"none": null, "mine": null'))
    refused(study, 'task "mine", train', "train_language: de")


def test_a_dev_split_in_another_language_is_told(tmp_path: Path) -> None:
    """Choices are made in the language of training."""
    dev = {"dataset": "mine", "split": "dev"}
    study = trained_in(tmp_path, "de", task={"train_language": "de", "dev": dev}, paths={"dev": "dev-{lang}"})
    (tmp_path / "dev-en").write_text(pair_lines(texts("dev", "en"), NLI))
    tasks = (tmp_path / "tasks.yaml").read_text()
    (tmp_path / "tasks.yaml").write_text(tasks.replace('"languages": {', '"languages": {"dev": ["en"], '))
    refused(study, 'language "de"', 'split "dev"')
