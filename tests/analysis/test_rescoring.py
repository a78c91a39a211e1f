"""`stilts rescore`: agrees with what was published, and names the cell and language of what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stilts.analysis.rescoring import rescore
from stilts.cli.main import app
from stilts.ledger.results import evaluation_of
from stilts.ledger.summary import SUMMARIES, Summary, summarise
from stilts.metrics.metric import metric
from tests.analysis.answered_study import COUNT, NAME, TASKS, answered_column, results_of, write_study

LANGUAGES = ("en", "de")
# These have no English selection score.
RETRIEVAL = sum(kind == "retrieval" for kind, _, _ in TASKS.values())


def test_every_kind_agrees_with_its_predictions(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column(name, LANGUAGES) for name in TASKS])
    found = rescore(results_of(store))
    assert found.agrees and found.evaluations == found.from_predictions == 3 * len(TASKS) - RETRIEVAL
    assert found.examples == COUNT * found.evaluations
    shown = CliRunner().invoke(app, ["rescore", NAME, "--store", store.url])
    assert shown.exit_code == 0 and "All agree to 1e-9." in shown.stdout


def test_without_right_answers_the_statistics_are_still_checked(tmp_path: Path) -> None:
    found = rescore(results_of(write_study(tmp_path, [answered_column("panx", LANGUAGES)], truths=False)))
    assert found.agrees and (found.evaluations, found.from_predictions) == (3, 0)


def spoil(said: list[str]) -> list[str]:
    """Predictions of which none is any right answer: a ranking, a pair, a number, or as many tags as before."""
    if any(text.startswith("[") for text in said):
        return ['["none"]' for _ in said]
    if any("\t" in text for text in said):
        return ["none\tnone" for _ in said]
    if any("|" in text for text in said):
        return ["v w x y z |" for _ in said]
    if all(text.replace(".", "").isdigit() for text in said):
        return ["-7" for _ in said]
    return [" ".join("B-NONE" for _ in text.split()) or "none" for text in said]


@pytest.mark.parametrize("column", list(TASKS))
def test_a_prediction_that_was_changed_is_found_by_cell_and_language(tmp_path: Path, column: str) -> None:
    store = write_study(tmp_path, [answered_column(column, LANGUAGES)], spoiled={"prediction": spoil})
    (found,) = rescore(results_of(store)).differences
    assert (found.row, found.column, found.language, found.use) == ("none", column, "de", "report")
    assert found.what == "examples with statistics not their prediction's" and found.recomputed


def test_statistics_and_score_that_part_are_found_and_end_with_status_1(tmp_path: Path) -> None:
    spoiled = {"correct": lambda values: [1 - values[0], *values[1:]]}
    store = write_study(tmp_path, [answered_column("xnli", LANGUAGES)], spoiled=spoiled)
    shown = CliRunner().invoke(app, ["rescore", NAME, "--store", store.url, "--json"])
    value = json.loads(shown.stdout)
    assert shown.exit_code == 1 and not value["agrees"]
    assert {each["what"] for each in value["differences"]} >= {"score", "accuracy"}
    score = next(each for each in value["differences"] if each["what"] == "score")
    assert abs(score["stored"] - score["recomputed"]) == pytest.approx(100 / COUNT)
    text = CliRunner().invoke(app, ["rescore", NAME, "--store", store.url])
    assert text.exit_code == 1 and "none>xnli/t1" in text.stdout and "3 differences" in text.stdout


def test_a_summary_that_parted_from_its_artifact_is_found(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("xnli", LANGUAGES)])
    (replicate,) = results_of(store).record.replicates
    key = replicate.outputs["report"]["en"]
    table = pq.read_table(store.fetch(key) / "examples.parquet")
    columns = metric("accuracy").columns
    rows = {name: table[name].to_numpy().copy() for name in columns}
    for damaged in (False, True):
        if damaged:
            rows["correct"][0] = 1 - rows["correct"][0]
        value = summarise(evaluation_of(store, key), table["item"].to_pylist(), rows)
        SUMMARIES.write(store, Summary(outputs={key: value}), replicate.evaluate_stage)
        found = [each.what for each in rescore(results_of(store)).differences]
        assert found == (["summary: examples with statistics not the artifact's"] if damaged else [])


@pytest.mark.parametrize("column", ["stsb", "multieurlex"])
def test_a_prediction_that_cannot_be_read_is_said(tmp_path: Path, column: str) -> None:
    spoiled = {"prediction": lambda said: ["high" for _ in said]}
    found = rescore(results_of(write_study(tmp_path, [answered_column(column, LANGUAGES)], spoiled=spoiled)))
    assert len(found.unread) == 1 and '"high"' in next(iter(found.unread.values()))


def test_examples_that_are_gone_or_damaged_are_said_not_passed_over(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("xnli", LANGUAGES)])
    outputs = results_of(store).record.replicates[0].outputs["report"]
    store.drop_files(outputs["en"], "to see")
    (store.fetch(outputs["de"]) / "examples.parquet").write_bytes(b"PAR1")
    found = rescore(results_of(store))
    assert set(found.unread) == set(outputs.values()) and not found.agrees and not found.differences
