"""What MLflow opens with: the answer as the experiment's note, our view of the runs, doubts and notes, kept true."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run

from stilts.analysis.best import answers_of
from stilts.analysis.glance import study_line
from stilts.analysis.results import StudyResults
from stilts.study.record import NONE_ROW
from stilts.tracking.doubts import doubts_of, is_doubt
from stilts.tracking.ray_job import job_tags, passed_on
from stilts.tracking.study_link import study_page
from stilts.tracking.sync import SyncReport, sync
from tests.analysis.fake_store import column
from tests.analysis.studies import finished
from tests.tracking.fake_store import FakeStore, Shape, fail, publish_evaluations, publish_replicate, seen, study
from tests.tracking.mlflow_contents import run_named, runs_of

XNLI, PANX = column("xnli"), column("panx")
VIEW = "mlflow.sharedViewState.stilts"
NOTE = "mlflow.note.content"


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    return scored(tmp_path / "first", mnli=66.0)


def scored(folder: Path, **rows: float) -> StudyResults:
    folder.mkdir()
    return finished(folder, {XNLI: {"none": 60.0, **rows}, PANX: {"none": 50.0, **rows}}, seeds=(1, 2), toy=True)


def answered(results: StudyResults, uri: str) -> SyncReport:
    return sync(results, uri, answers=answers_of(results), running=False)


def experiment(uri: str, results: StudyResults) -> Experiment:
    found = MlflowClient(tracking_uri=uri).get_experiment_by_name(results.record.name)
    assert found is not None
    return found


def parent(uri: str, results: StudyResults) -> Run:
    return next(run for run in runs_of(uri, results.record.name) if run.data.tags["stilts.kind"] == "study")


def doubts(run: Run) -> dict[str, float]:
    return {name: value for name, value in run.data.metrics.items() if is_doubt(name)}


def notes(uri: str, results: StudyResults) -> dict[str, str]:
    return {run.info.run_name: run.data.tags.get(NOTE, "") for run in runs_of(uri, results.record.name)}


def test_the_note_begins_with_the_answer_and_its_doubt_and_links_to_the_runs(uri: str, results: StudyResults) -> None:
    answered(results, uri)
    made = experiment(uri, results)
    first, *rest = made.tags[NOTE].split("\n\n")
    assert first == study_line(answers_of(results)) and "xnli" in first and " to +" in first
    assert "toy" in rest[0].lower()
    page = study_page(uri, results.record.name)
    assert page == f"/#/experiments/{made.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey=stilts"
    assert f"]({page.removeprefix('/')})" in rest[1]
    assert f"/runs/{parent(uri, results).info.run_id}?" in rest[1]


def test_the_view_shows_what_a_reader_looks_for_and_leaves_the_rest_folded(uri: str, results: StudyResults) -> None:
    answered(results, uri)
    view = json.loads(experiment(uri, results).tags[VIEW])
    names = [name.partition(".")[2].strip("`") for name in view["selectedColumns"]]
    assert names == ["intermediate", "target", "score", "gain", "select"]
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`gain`", False)
    replicates = [run for run in runs_of(uri, results.record.name) if run.data.tags["stilts.kind"] == "replicate"]
    shown = {*replicates[0].data.tags, *(name for run in replicates for name in run.data.metrics), "select"}
    assert set(names) <= shown, "a column of that name would be empty"
    charts = {chart["metricSectionId"] for chart in view["compareRunCharts"]}
    assert charts == {section["uuid"] for section in view["compareRunSections"] if section["display"]}


def test_intervals_and_chances_stand_behind_the_gains_as_the_matrix_has_them(uri: str, results: StudyResults) -> None:
    answered(results, uri)
    run, by_target = parent(uri, results), {answer.target: answer for answer in answers_of(results)}
    for name in ("xnli", "panx"):
        interval = results.gain("mnli", name)
        assert interval is not None
        assert run.data.metrics[f"gain_low.mnli.{name}"] == interval.low
        assert run.data.metrics[f"gain_high.mnli.{name}"] == interval.high
        for row in (NONE_ROW, "mnli"):
            assert run.data.metrics[f"p_best.{row}.{name}"] == by_target[name].p_best[row]
    written = list(run.data.metrics)
    at = written.index("gain.mnli.xnli")
    assert written[at + 1 : at + 4] == ["gain_low.mnli.xnli", "gain_high.mnli.xnli", "p_best.mnli.xnli"]


def test_a_runs_note_says_score_gain_and_interval_with_two_decimals(uri: str, results: StudyResults) -> None:
    answered(results, uri)
    interval, said = results.gain("mnli", "xnli"), notes(uri, results)
    assert interval is not None
    run = run_named_in(uri, results, "mnli > xnli / i1 t1")
    score, gain = run.data.metrics["score"], run.data.metrics["gain"]
    none = results.cells.set_index(["row", "column"])["score"]["none", "xnli"]
    assert said["mnli > xnli / i1 t1"] == (
        f"score {score:.2f} on xnli, gain {gain:+.2f} over none ({none:.2f}); the cell mnli > xnli: "
        f"{interval.estimate:+.2f}, 95 % interval {interval.low:+.2f} to {interval.high:+.2f}"
    )
    assert said["none > xnli / t1"].startswith("score ") and f"{none:.2f}" in said["none > xnli / t1"]
    assert said["mnli / i1"] == "intermediate mnli, seed 1: 2 replicates start from it"


def run_named_in(uri: str, results: StudyResults, name: str) -> Run:
    return next(run for run in runs_of(uri, results.record.name) if run.info.run_name == name)


def test_a_second_sync_writes_nothing(uri: str, results: StudyResults, monkeypatch: pytest.MonkeyPatch) -> None:
    first = answered(results, uri)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was written")

    for name in ("set_experiment_tag", "set_tag", "log_batch", "log_artifacts", "create_run", "update_run"):
        monkeypatch.setattr(MlflowClient, name, refuse)
    again = answered(results, uri)
    assert (again.created, again.updated, again.removed) == (0, 0, 0) and again.unchanged == first.created
    assert sync(results, uri, running=False).unchanged == first.created, "without answers they are left as they are"


def test_a_changed_answer_replaces_note_and_doubts(uri: str, results: StudyResults, tmp_path: Path) -> None:
    answered(results, uri)
    before, first = doubts(parent(uri, results)), experiment(uri, results).tags[NOTE]
    other = scored(tmp_path / "other", mnli=66.0, squad=75.0)
    answered(other, uri)
    after = doubts(parent(uri, other))
    assert after["gain_low.squad.xnli"] == getattr(other.gain("squad", "xnli"), "low", None)
    assert after["p_best.mnli.xnli"] != before["p_best.mnli.xnli"]
    assert doubts_of(other, answers_of(other)).p_best["mnli", "xnli"] == after["p_best.mnli.xnli"]
    assert experiment(uri, other).tags[NOTE].split("\n\n")[0] == study_line(answers_of(other)) != first


def test_a_study_without_an_answer_says_how_far_it_is(uri: str) -> None:
    record, store = study(Shape(rows=("none",))), FakeStore()
    publish_replicate(store, record.replicates[0])
    results = seen(record, store)
    sync(results, uri)
    assert experiment(uri, results).tags[NOTE].startswith("1 of 2 replicates done; the answer comes with the end")
    fail(store, record.replicates[1].evaluate_stage)
    sync(seen(record, store), uri, running=False)
    assert experiment(uri, results).tags[NOTE].startswith('1 of 2 replicates done, 1 failed; "stilts track" writes')
    assert run_named(uri, "none > udpos / t0").data.tags[NOTE] == "no score: failed"


def test_a_replicate_on_its_way_says_how_many_languages_are_done(uri: str) -> None:
    record, store = study(Shape(rows=("none",))), FakeStore()
    publish_evaluations(store, record.replicates[0], only=("en", "de"))
    sync(seen(record, store), uri)
    assert run_named(uri, "none > xnli / t0").data.tags[NOTE] == "no score yet: 2 of 3 languages done"


def test_no_tag_names_a_folder_of_the_machine(uri: str) -> None:
    record, store = study(Shape(rows=("none",))), FakeStore()
    publish_replicate(store, record.replicates[1])
    stage = record.replicates[0].evaluate_stage
    fail(store, stage)
    for kept in store.kept.values():
        assert isinstance(kept, dict)
        kept["error"] = "OSError: [Errno 28] no room: '/home/me/stilts_store/x.tmp', see s3://bucket/a/b"
    sync(seen(record, store), uri)
    failed = run_named(uri, "none > xnli / t0").data.tags
    assert failed["error"] == "OSError: [Errno 28] no room: 'x.tmp', see s3://bucket/a/b"
    folder = str(Path(uri.removeprefix("sqlite:///")).parent)
    for run in runs_of(uri):
        for key, value in run.data.tags.items():
            assert folder not in value and "/home/" not in value, key


TOLD = {"job_submission_id": "raysubmit_7", "stilts_owner": "ada", "stilts_priority": "5"}
JOB: Mapping[str, str] = {"RAY_JOB_CONFIG_JSON_ENV_VAR": json.dumps({"metadata": TOLD})}


def test_the_studys_run_names_the_ray_job_that_it_ran_in(
    uri: str, results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    assert job_tags() == {}, "what is typed in some job says nothing of where the study ran"
    for name, value in passed_on(os.environ).items():
        monkeypatch.setenv(name, value)
    answered(results, uri)
    for name in (*JOB, *passed_on(JOB)):
        monkeypatch.delenv(name)
    assert answered(results, uri).updated == 0
    changed = StudyResults(record=replace(results.record, settings={"budget": 3}), store=results.store, draws=200)
    before = parent(uri, results).info.run_id
    answered(changed, uri)
    assert parent(uri, results).info.run_id != before
    tags = parent(uri, results).data.tags
    assert (tags["ray_job"], tags["owner"], tags["priority"]) == ("raysubmit_7", "ada", "5")


@pytest.mark.parametrize("found", ["", "{}", "[]", '{"metadata": null}', "no JSON"])
def test_outside_of_a_job_none_is_named(found: str) -> None:
    assert passed_on({}) == passed_on({"RAY_JOB_CONFIG_JSON_ENV_VAR": found}) == {}


def test_an_experiment_of_an_earlier_version_is_brought_to_the_names_of_now(uri: str, results: StudyResults) -> None:
    first = answered(results, uri)
    client, made = MlflowClient(tracking_uri=uri), experiment(uri, results)
    for run in runs_of(uri, results.record.name):  # as it was written before: other names, no notes, no view
        client.log_metric(run.info.run_id, "compute_seconds", 3.0)
        client.set_tag(run.info.run_id, "stilts.view_digest", "000000000000")
        client.delete_tag(run.info.run_id, NOTE) if NOTE in run.data.tags else None
    for key in (NOTE, VIEW):
        client.delete_experiment_tag(made.experiment_id, key)
    assert study_page(uri, results.record.name) == f"/#/experiments/{made.experiment_id}/runs?{TRAINING}"
    assert answered(results, uri).updated == first.created
    assert not any("compute_seconds" in run.data.metrics for run in runs_of(uri, results.record.name))
    assert all(notes(uri, results)[name] for name in notes(uri, results) if name != results.record.name)
    assert VIEW in experiment(uri, results).tags
    assert answered(results, uri).unchanged == first.created


TRAINING = "workflowType=machine_learning"


def test_a_study_that_mlflow_does_not_show_has_no_page(uri: str, tmp_path: Path) -> None:
    assert study_page(uri, "nobody") is None
    assert study_page(f"sqlite:///{tmp_path}/none.db", "little") is None and not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database" * 100)
    assert study_page(f"sqlite:///{tmp_path}/text.db", "little") is None
    assert study_page("http://127.0.0.1:1", "little") is None
    assert study_page("http://me:s3cret@127.0.0.1:1", "little") is None
    assert study_page("postgresql://host/db", "little") is None
