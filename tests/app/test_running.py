"""What a run takes from its environment, and leaves in the store of where it ran."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from stilts.app.explaining import story_of
from stilts.app.running import RunOptions, run
from stilts.scheduling.within_job import JOB_CONFIG
from stilts.store import open_store
from tests.e2e.studies import tiny_study


def test_results_say_job_and_node_and_the_environment_may_ask_for_no_tracking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "none")
    told = {"metadata": {"job_submission_id": "little-20260131-180000"}}
    study = tiny_study(tmp_path, intermediates={"none": None}, targets={"xnli": {"languages": ["en"]}})
    with monkeypatch.context() as within_a_job:
        within_a_job.setenv(JOB_CONFIG, json.dumps(told))
        report = run(study, RunOptions(store=str(tmp_path / "store"), local=True))
    assert report.executed == 2 and not list(tmp_path.glob("mlflow*"))
    store = open_store(str(tmp_path / "store"))
    for key in store.done():
        execution = store.result(key)["execution"]
        assert isinstance(execution, dict)
        assert (execution["job"], execution["node"]) == ("little-20260131-180000", platform.node())
    story = story_of("little", "none/xnli", str(tmp_path / "store"), None)
    assert story is not None
    for stage in story.replicates[0].lineage:
        assert (stage.job, stage.node) == ("little-20260131-180000", platform.node())
        assert stage.device and stage.device != "cpu"
