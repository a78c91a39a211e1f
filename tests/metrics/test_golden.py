"""Agreement with the official XTREME scorer on the golden label and prediction files, where they are at hand."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from stilts.metrics.answers import answer_rows
from stilts.metrics.averages import benchmark_score, task_score
from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import metric
from stilts.metrics.retrieval import nearest
from stilts.metrics.spans import entity_rows

ROOT = Path(os.environ.get("STILTS_SHARED", Path(__file__).parents[3] / "shared")) / "golden"
SETS = sorted(ROOT.glob("set*"))
pytestmark = pytest.mark.skipif(not SETS, reason="no golden figures at hand")

Scores = dict[str, dict[str, float]]
GROUPS = dict(pawsx="c", xnli="c", panx="t", udpos="t", bucc2018="retrieval", tatoeba="retrieval", xquad="q") | {
    "mlqa": "q",
    "tydiqa": "q",
}


def score(name: str, rows: np.ndarray) -> dict[str, float]:
    chosen = metric(name)
    sums = {column: float(value) for column, value in zip(chosen.columns, rows.sum(axis=0), strict=True)}
    return {"score": chosen.score(sums), **chosen.parts(sums)}


def lines(folder: Path, task: str, language: str) -> list[str]:
    return (folder / task / f"test-{language}.tsv").read_text().splitlines()


def sentences(folder: Path, task: str, language: str) -> list[list[str]]:
    text = (folder / task / f"test-{language}.tsv").read_text()
    return [[line.split("\t")[-1] for line in block.splitlines()] for block in text.strip().split("\n\n")]


@pytest.mark.parametrize("golden", SETS, ids=lambda path: path.name)
@pytest.mark.parametrize("task", ["xnli", "pawsx", "tatoeba"])
def test_accuracy(golden: Path, task: str) -> None:
    expected: Scores = json.loads((golden / "expected_xtreme.json").read_text())[task]
    for language, figure in expected["accuracy"].items():
        gold, predicted = (lines(golden / kind, task, language) for kind in ("labels", "predictions"))
        assert score("accuracy", accuracy_rows(gold, predicted))["score"] == pytest.approx(figure, abs=1e-6)


@pytest.mark.parametrize("golden", SETS, ids=lambda path: path.name)
def test_span_f1(golden: Path) -> None:
    expected: Scores = json.loads((golden / "expected_xtreme.json").read_text())["panx"]
    for language, figure in expected["f1"].items():
        got = score(
            "span_f1", entity_rows(*(sentences(golden / kind, "panx", language) for kind in ("labels", "predictions")))
        )
        assert got["f1"] == got["score"] == pytest.approx(figure, abs=1e-6)
        assert got["precision"] == pytest.approx(expected["precision"][language], abs=1e-6)
        assert got["recall"] == pytest.approx(expected["recall"][language], abs=1e-6)


@pytest.mark.parametrize("golden", SETS, ids=lambda path: path.name)
@pytest.mark.parametrize("task", ["xquad", "tydiqa", "mlqa"])
def test_question_answering(golden: Path, task: str) -> None:
    expected: Scores = json.loads((golden / "expected_xtreme.json").read_text())[task]
    for language, figure in expected["f1"].items():
        labels = json.loads((golden / "labels" / task / f"test-{language}.json").read_text())
        found = json.loads((golden / "predictions" / task / f"test-{language}.json").read_text())
        questions = [qa for article in labels["data"] for paragraph in article["paragraphs"] for qa in paragraph["qas"]]
        answers = [[answer["text"] for answer in qa["answers"]] for qa in questions]
        name = "mlqa" if task == "mlqa" else "squad"
        rows = answer_rows(name, answers, [found.get(qa["id"]) for qa in questions], language=language)
        got = score(name, rows)
        assert got["f1"] == pytest.approx(figure, abs=1e-6)
        assert got["em"] == pytest.approx(expected["exact_match"][language], abs=1e-6)


@pytest.mark.parametrize("golden", SETS, ids=lambda path: path.name)
def test_averages(golden: Path) -> None:
    expected = json.loads((golden / "expected_xtreme.json").read_text())
    tasks = {task: expected[task]["avg_metric"] for task in GROUPS}
    assert task_score(expected["xnli"]["accuracy"]) == pytest.approx(tasks["xnli"])
    assert benchmark_score(tasks, GROUPS).overall == pytest.approx(expected["all_task"])
    assert benchmark_score(tasks, GROUPS).groups["q"] == pytest.approx(expected["qa"])


def test_nearest_sentences() -> None:
    folder = ROOT / "mining"
    expected = json.loads((folder / "expected.json").read_text())["nearest_source_of_each_target"]
    found = nearest(np.load(folder / "target.npy"), np.load(folder / "source.npy"))
    assert found.tolist() == expected
