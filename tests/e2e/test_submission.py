"""A study of real data that ran, exported as a submission and scored: the figures are those of `stilts matrix`."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.studies import stilts

pytestmark = pytest.mark.slow
NAME = "submitted"
TARGETS = ("xnli", "panx", "udpos", "xquad", "mlqa", "tatoeba")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The study's store and the folders of its submission and labels, with what the export said of each target."""

    folder: Path
    targets: dict[str, Any]

    def run(self, *words: object) -> Any:
        """What a verb prints as JSON."""
        done = stilts(*words, "--json", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def matrix(self, target: str) -> dict[str, float]:
        """The scores by language of the study's only row."""
        shown = self.run("matrix", NAME, "--store", "store")["languages"]
        return {each["language"]: each["score"] for each in shown if each["column"] == target}


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Submitted:
    folder = tmp_path_factory.mktemp("submission")
    study = {
        "name": NAME,
        "encoder": {"path": str(shared / "models" / "xlmr-mini")},
        "data": {"source": "files", "root": str(shared / "data")},
        "defaults": {
            "target": {"steps": 12, "learning_rate": 1e-3, "limit": 192},
            "encoding": {"max_length": 96, "batch_size": 16, "layer": 4},
            "limits": {"select": 8, "report": 10},
        },
        "intermediates": {"none": None},
        "targets": dict.fromkeys(TARGETS),
        "resources": {"cpus": 1},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    ran = stilts("run", "study.yaml", "--local", "--store", "store", "--tracking-uri", "none", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    made = Submitted(folder=folder, targets={})
    # A row is named for retrieval: nothing can be selected there, and the study has no other.
    value = made.run("export", NAME, "--submission", "p", "--labels", "l", "--row", "none", "--store", "store")
    targets = {each["target"]: each for each in value["targets"]}
    assert set(targets) == set(TARGETS) and value["left_out"] == []
    return Submitted(folder=folder, targets=targets)


def official(figures: dict[str, Any]) -> dict[str, float]:
    if "exact_match" in figures:
        return {code: (figures["exact_match"][code] + figures["f1"][code]) / 2 for code in figures["f1"]}
    return dict(figures.get("f1") or figures["accuracy"])


def test_what_both_measure_is_equal_in_every_language(submitted: Submitted) -> None:
    figures = submitted.run("score", "p", "l", "--tasks", "xnli,xquad,tatoeba,udpos,mlqa")
    for task in ("xnli", "xquad", "mlqa", "tatoeba"):
        matrix, scored = submitted.matrix(task), official(figures[task])
        assert set(scored) <= set(matrix)
        assert scored == pytest.approx({code: matrix[code] for code in scored}, abs=1e-9)
    # Where the measures are others, the export says so, and its official figure is that of the scorer.
    target, scored = submitted.targets["udpos"], official(figures["udpos"])
    shown = {each["language"]: each["official"] for each in target["languages"]}
    assert scored == pytest.approx({code: shown[code] for code in scored}, abs=1e-9)
    assert "accuracy over words" in target["other_measure"]
    assert submitted.targets["mlqa"]["other_measure"] == ""


def test_entities_are_equal_with_a_stand_in_for_a_language_without_data(submitted: Submitted) -> None:
    target, matrix = submitted.targets["panx"], submitted.matrix("panx")
    absent = target["absent"].get("xtreme", [])
    for side in ("p", "l"):
        whole = submitted.folder / "whole" / side / "panx"
        shutil.copytree(submitted.folder / side / "panx", whole)
        for code in absent:
            shutil.copy(whole / "test-en.tsv", whole / f"test-{code}.tsv")
    scored = official(submitted.run("score", "whole/p", "whole/l")["panx"])
    real = {code: value for code, value in scored.items() if code not in absent}
    assert len(real) >= 39 and any(real.values())
    assert real == pytest.approx({code: matrix[code] for code in real}, abs=1e-9)


def test_every_evaluation_comes_out_again_without_the_model(submitted: Submitted) -> None:
    value = submitted.run("rescore", NAME, "--store", "store")
    assert value["agrees"] and value["from_predictions"] == value["evaluations"] > 100


def test_limits_and_missing_languages_are_said(submitted: Submitted) -> None:
    target = submitted.targets["xnli"]
    assert target["absent"] == {}
    assert target["caveats"] == ["at most 10 examples of a language were evaluated; the official scorer wants all"]
    assert any("dev files" in caveat for caveat in submitted.targets["panx"]["caveats"])
