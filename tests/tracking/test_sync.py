"""MLflow is brought to what the store says: once, wholly, and the same from any starting point."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from stilts.errors import StiltsError
from stilts.fingerprint import Json
from stilts.tracking import sync as sync_module
from stilts.tracking.sync import sync
from tests.tracking.fake_store import (
    FakeStore,
    Shape,
    fail,
    filled,
    publish_evaluations,
    publish_replicate,
    seen,
    study,
)
from tests.tracking.mlflow_contents import parents_are_linked, run_named, runs_of, shown, uri_of


def test_a_second_sync_changes_nothing(uri: str) -> None:
    record, store = filled(Shape())
    files: dict[str, Path | bytes] = {"matrix.csv": b"row,xnli\n", "report/matrix.html": b"<p>"}
    first = sync(seen(record, store), uri, artifacts=files, note="# Best: mnli")
    before = shown(uri)
    second = sync(seen(record, store), uri, artifacts=files, note="# Best: mnli")
    assert (first.created, first.updated, first.unchanged) == (6, 0, 0)
    assert (second.created, second.updated, second.unchanged, second.removed) == (0, 0, 6, 0)
    assert first.run_ids == second.run_ids
    assert shown(uri) == before
    assert parents_are_linked(uri)


def test_a_rebuild_equals_what_grew_result_by_result(new_tracking: Callable[[str], str]) -> None:
    grown, rebuilt = new_tracking("grown"), new_tracking("rebuilt")
    record, store = study(Shape(seeds=2)), FakeStore()
    for number, replicate in enumerate(record.replicates):
        publish_evaluations(store, replicate, only=("en",))
        if number % 3 == 0:
            sync(seen(record, store), grown)
        publish_replicate(store, replicate)
        if number % 3 == 1:
            sync(seen(record, store), grown)
    sync(seen(record, store), grown)
    sync(seen(record, store), rebuilt)
    assert shown(grown) == shown(rebuilt)
    assert parents_are_linked(grown)


def test_a_failure_that_is_mended_leaves_no_trace(new_tracking: Callable[[str], str]) -> None:
    uri, rebuilt = new_tracking("mended"), new_tracking("rebuilt")
    record, store = study(Shape(rows=("none",))), FakeStore()
    first, second = record.replicates
    publish_replicate(store, second)
    fail(store, first.evaluate_stage)
    sync(seen(record, store), uri)
    assert run_named(uri, "none > xnli / t0").info.status == "FAILED"
    store.kept.clear()
    publish_replicate(store, first)
    sync(seen(record, store), uri)
    sync(seen(record, store), rebuilt)
    assert shown(uri) == shown(rebuilt)
    assert run_named(uri, "none > xnli / t0").info.status == "FINISHED"


def statuses(uri: str) -> dict[str, str]:
    return {run.info.run_name: run.info.status for run in runs_of(uri)}


def test_a_study_that_stopped_is_not_left_running_and_goes_on_as_the_same_runs(
    new_tracking: Callable[[str], str],
) -> None:
    uri, rebuilt = new_tracking("stopped"), new_tracking("rebuilt")
    record, store = study(Shape(rows=("none",))), FakeStore()
    first, second = record.replicates
    publish_evaluations(store, first, only=("en",))
    sync(seen(record, store), uri)
    assert statuses(uri) == {"little": "RUNNING", "none > xnli / t0": "RUNNING"}
    stopped = sync(seen(record, store), uri, running=False)
    assert statuses(uri) == {"little": "KILLED", "none > xnli / t0": "KILLED"}
    assert all(run.info.end_time is not None for run in runs_of(uri))
    assert sync(seen(record, store), uri, running=False).unchanged == 2
    sync(seen(record, store), uri)
    assert statuses(uri) == {"little": "RUNNING", "none > xnli / t0": "RUNNING"}
    publish_replicate(store, first)
    publish_replicate(store, second)
    ended = sync(seen(record, store), uri, running=False)
    assert set(statuses(uri).values()) == {"FINISHED"}
    assert stopped.run_ids.items() <= ended.run_ids.items(), "no run was thrown away"
    sync(seen(record, store), rebuilt)
    assert shown(uri) == shown(rebuilt)


def test_a_study_that_stopped_after_a_failure_has_failed(uri: str) -> None:
    record, store = study(Shape(rows=("none",))), FakeStore()
    first, second = record.replicates
    publish_evaluations(store, first, only=("en",))
    fail(store, second.evaluate_stage)
    sync(seen(record, store), uri)
    assert statuses(uri) == {"little": "RUNNING", "none > xnli / t0": "RUNNING", "none > udpos / t0": "FAILED"}
    sync(seen(record, store), uri, running=False)
    assert statuses(uri) == {"little": "FAILED", "none > xnli / t0": "KILLED", "none > udpos / t0": "FAILED"}


DECISION: dict[str, Json] = {"policy": "select", "replicates": [], "reason": "The budget is spent."}


@pytest.mark.parametrize("why", ["stopped", "decisions/00001"])
def test_a_study_that_its_budget_or_policy_ended_has_finished(uri: str, why: str) -> None:
    record, store = study(Shape(rows=("none",))), FakeStore()
    publish_replicate(store, record.replicates[0])
    store.kept["studies/little/decisions/00000"] = {**DECISION, "number": 0, "kind": "cells"}
    sync(seen(record, store), uri, running=False)
    assert statuses(uri)["little"] == "KILLED"
    stopped = {"reason": "The budget is spent."}
    store.kept[f"studies/little/{why}"] = stopped if why == "stopped" else {**DECISION, "number": 1, "kind": "stop"}
    sync(seen(record, store), uri)
    assert statuses(uri)["little"] == "RUNNING"
    sync(seen(record, store), uri, running=False)
    assert statuses(uri) == {"little": "FINISHED", "none > xnli / t0": "FINISHED"}


def test_a_run_left_half_written_is_made_whole(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record, store = filled(Shape())
    calls = 0

    class Killed(BaseException):
        """Stands for a kill of the process."""

    original = MlflowClient.log_batch

    def dies(self: MlflowClient, *args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Killed
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(sync_module.MlflowClient, "log_batch", dies)
        with pytest.raises(Killed):
            sync(seen(record, store), uri)
    sync(seen(record, store), uri)
    assert sync(seen(record, store), uri).unchanged == 6
    names = [run.info.run_name for run in runs_of(uri)]
    assert len(names) == len(set(names)) == 6
    assert run_named(uri, "none > xnli / t0").data.metrics["score"] > 0


def test_runs_that_a_smaller_record_no_longer_has_are_removed(uri: str) -> None:
    record, store = filled(Shape())
    sync(seen(record, store), uri)
    smaller = replace(record, replicates=record.replicates[:2])
    assert sync(seen(smaller, store), uri).removed == 3
    assert sync(seen(smaller, store), uri).unchanged == 3


def test_a_changed_setting_renews_the_parent_and_keeps_its_children(uri: str) -> None:
    record, store = filled(Shape())
    old = sync(seen(record, store), uri, artifacts={"matrix.csv": b"1"}, note="the answer")
    new = sync(seen(replace(record, settings={"budget": 3}), store), uri)
    parent = ("stilts.kind", "study")
    assert old.run_ids[parent] != new.run_ids[parent]
    assert {k: v for k, v in old.run_ids.items() if k != parent} == {
        k: v for k, v in new.run_ids.items() if k != parent
    }
    assert parents_are_linked(uri)
    client = MlflowClient(tracking_uri=uri)
    assert {file.path for file in client.list_artifacts(new.run_ids[parent])} == {"matrix.csv", "study.yaml"}
    assert run_named(uri, "little").data.tags["mlflow.note.content"] == "the answer"


def test_a_deleted_experiment_is_taken_back(uri: str) -> None:
    record, store = filled(Shape(rows=("none",)))
    sync(seen(record, store), uri)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("little")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    sync(seen(record, store), uri)
    assert len(runs_of(uri)) == 3


def test_more_metrics_than_a_batch_holds_arrive(uri: str) -> None:
    record, store = filled(Shape(rows=("none",), columns=("xnli",), curve=1300))
    sync(seen(record, store), uri)
    assert len(shown(uri)["none > xnli / t0"]["metrics"]["training.loss"]) == 1300


def test_artifacts_lie_beside_the_database(uri: str) -> None:
    record, store = filled(Shape(rows=("none",)))
    sync(seen(record, store), uri, artifacts={"matrix.csv": b"row\n"})
    folder = Path(uri.removeprefix("sqlite:///")).parent
    (matrix,) = folder.glob("mlruns/little/**/matrix.csv")
    assert matrix.read_bytes() == b"row\n"


def test_runs_carry_their_config_and_a_sample_of_predictions(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)  # load_table asks the default address
    record, store = filled(Shape())
    identity = ("replicate_id", "mnli>xnli/i0/t0")
    table = json.dumps({"columns": ["language", "item"], "data": [["en", "q1"]]}).encode()
    first = sync(seen(record, store), uri)
    second = sync(seen(record, store), uri, tables={identity: table})
    assert (second.updated, second.unchanged) == (1, 5)
    assert sync(seen(record, store), uri, tables={identity: table}).unchanged == 6
    assert sync(seen(record, store), uri).unchanged == 6
    client, run_id = MlflowClient(tracking_uri=uri), first.run_ids[identity]
    assert {file.path for file in client.list_artifacts(run_id)} == {"config.yaml", "predictions.json"}
    experiment = client.get_experiment_by_name("little")
    assert experiment is not None
    found = client.load_table(experiment.experiment_id, "predictions.json", run_ids=[run_id])
    assert found.to_dict("records") == [{"language": "en", "item": "q1"}]


def test_other_runs_of_the_experiment_are_left_alone(uri: str) -> None:
    record, store = filled(Shape(rows=("none",)))
    sync(seen(record, store), uri)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("little")
    assert experiment is not None
    mine = client.create_run(experiment.experiment_id, run_name="by hand")
    assert sync(seen(record, store), uri).removed == 0
    assert client.get_run(mine.info.run_id).info.lifecycle_stage == "active"


def test_a_missing_folder_of_the_database_is_made(tmp_path: Path) -> None:
    record, store = filled(Shape(rows=("none",), columns=("xnli",)))
    uri = uri_of(tmp_path / "not" / "yet")
    assert sync(seen(record, store), uri).created == 2
    assert len(runs_of(uri)) == 2


def test_a_server_that_is_away_is_one_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with pytest.raises(StiltsError, match="safe in the store") as caught:
        sync(seen(*filled(Shape(rows=("none",)))), f"http://user:s3cret@127.0.0.1:{port}/?api_key=t0k3n")
    assert "s3cret" not in str(caught.value) and "t0k3n" not in str(caught.value)


def test_the_views_do_not_import_mlflow() -> None:
    code = "import sys, stilts.tracking.views; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_telemetry_is_off_once_sync_is_imported() -> None:
    code = (
        "import stilts.tracking.sync; from mlflow.telemetry.client import get_telemetry_client as client;"
        "from mlflow.telemetry.utils import is_telemetry_disabled as off; assert off() and client() is None"
    )
    # An empty environment: MLflow also takes a CI system or pytest as a reason to send nothing.
    assert subprocess.run([sys.executable, "-c", code], check=False, env={}).returncode == 0
