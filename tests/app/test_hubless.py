"""A plan where the hub cannot be asked: stages, hours and memory all the same, and a word about ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stilts.app import hubless
from stilts.app.costing import planned
from stilts.errors import EncoderError, InputError

COMMIT = "c" * 40


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def encoder(repo: str, revision: str | None) -> Any:
        asked.append(repo)
        raise EncoderError(repo, "the hub could not be asked", next_step="Connect")

    def commit(repo: str, revision: str | None) -> str:
        if revision == COMMIT:
            return revision
        asked.append(repo)
        raise InputError(repo, "its commit could not be had", next_step="Connect")

    monkeypatch.setattr(hubless, "ask_hub", encoder)
    monkeypatch.setattr(hubless, "hub_commit", commit)
    return asked


def study(folder: Path, **encoder: str) -> str:
    path = folder / "study.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "large",
                "encoder": {"hub": "FacebookAI/xlm-roberta-large", **encoder},
                "data": {"source": "hub"},
                "defaults": {
                    "intermediate": {"epochs": 1},
                    "target": {"steps": 100},
                    "encoding": {"max_length": 128},
                },
                "intermediates": {"none": None, "mnli": None},
                "targets": {"xnli": {"languages": ["de", "sw"]}},
                "resources": {"cpus": 8, "gpus": 1},
            }
        )
    )
    return str(path)


def test_stages_hours_and_memory_are_told_and_ids_are_called_provisional(tmp_path: Path, no_hub: list[str]) -> None:
    cost, lines = planned(study(tmp_path), str(tmp_path / "store"))
    (training,) = [line for line in lines if line["kind"] == "train" and line["name"] == "mnli"]
    assert (cost.train, cost.evaluate, cost.done) == (training["stages"], 2, 0)
    # One epoch of MNLI's 392,702 examples in batches of 32, beside 100 steps of each target.
    assert training["seconds"] > 5 * 60 and training["seconds_basis"] == "derived"
    # 16 bytes for each of 560 million weights, and activations of 32 rows of 128 tokens through 24 layers.
    assert training["peak_memory_gib"] == pytest.approx((16 * 0.56e9 + 32 * 128 * 24 * 86_000) / 2**30, rel=0.15)
    assert training["memory_basis"] == "derived"
    (note,) = [note for note in cost.notes if "provisional" in note]
    assert "FacebookAI/xlm-roberta-large" in note and "nyu-mll/multi_nli" in note
    assert len(no_hub) == 1  # then it is known to be away


def test_an_encoder_whose_commit_stands_in_the_study_is_not_called_unknown(tmp_path: Path) -> None:
    cost, _ = planned(study(tmp_path, revision=COMMIT), str(tmp_path / "store"))
    (note,) = [note for note in cost.notes if "provisional" in note]
    assert "xlm-roberta-large" not in note


def test_an_encoder_of_unknown_sizes_stops_the_plan(tmp_path: Path) -> None:
    path = study(tmp_path)
    Path(path).write_text(Path(path).read_text().replace("FacebookAI/xlm-roberta-large", "somebody/encoder"))
    with pytest.raises(InputError, match="could not be asked"):
        planned(path, str(tmp_path / "store"))


def test_texts_that_lie_here_are_assumed_where_the_tokenizer_is_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(study(tmp_path))
    fields = yaml.safe_load(path.read_text()) | {"data": {"source": "toy"}}
    path.write_text(yaml.safe_dump(fields | {"targets": {"xnli": None}}))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    cost, lines = planned(str(path), str(tmp_path / "store"))
    assert cost.train == 3 and all(line["seconds_basis"] == "derived" for line in lines)
