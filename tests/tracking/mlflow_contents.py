"""What an experiment shows, as plain values that two trackings can be compared by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow import MlflowClient

import stilts.tracking.sync  # noqa: F401 (settings stand before MLflow is imported)


def uri_of(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def runs_of(uri: str, study: str = "little", *, must_be_there: bool = True) -> list[Any]:
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        assert not must_be_there
        return []
    return list(client.search_runs([experiment.experiment_id], max_results=5000))


def shown(uri: str, study: str = "little") -> dict[str, dict[str, Any]]:
    """By run name: parameters, tags without run ids, full metric histories, inputs, status, times."""
    client = MlflowClient(tracking_uri=uri)
    contents = {}
    for run in runs_of(uri, study):
        assert run.info.run_name not in contents, "a run is there twice"
        contents[run.info.run_name] = {
            "params": run.data.params,
            "tags": {key: value for key, value in run.data.tags.items() if key != "mlflow.parentRunId"},
            "metrics": {
                key: sorted(
                    (point.step, point.timestamp, point.value)
                    for point in client.get_metric_history(run.info.run_id, key)
                )
                for key in run.data.metrics
            },
            "inputs": sorted((each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs),
            "status": run.info.status,
            "end_time": run.info.end_time,
        }
    return contents


def run_named(uri: str, name: str) -> Any:
    return next(run for run in runs_of(uri) if run.info.run_name == name)


def parents_are_linked(uri: str, study: str = "little") -> bool:
    runs = runs_of(uri, study)
    (parent,) = [run for run in runs if run.data.tags["stilts.kind"] == "study"]
    children = [run for run in runs if run is not parent]
    return all(run.data.tags["mlflow.parentRunId"] == parent.info.run_id for run in children)
