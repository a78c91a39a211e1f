"""The runs that an experiment holds already, and what still holds of them. Uses MLflow through the client given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stilts.tracking.doubts import is_doubt
from stilts.tracking.mlflow_settings import artifact_location
from stilts.tracking.run_view import RunStatus, RunView

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

NOTE = "mlflow.note.content"
DIGEST = "stilts.view_digest"
ARTIFACTS_DIGEST = "stilts.artifacts_digest"
TABLES = "mlflow.loggedArtifacts"
PARENT = "mlflow.parentRunId"
# What MLflow 3.17 stores of a tag's and a parameter's value.
MAX_TAG_CHARS = 8000
MAX_PARAM_CHARS = 6000
RUN_STATUS = {
    RunStatus.DONE: "FINISHED",
    RunStatus.FAILED: "FAILED",
    RunStatus.PRUNED: "KILLED",
    RunStatus.STOPPED: "KILLED",
    RunStatus.PARTIAL: "RUNNING",
}
_IDENTITY_KEYS = {"study": "stilts.kind", "recipe": "stage_id", "replicate": "replicate_id"}
_PAGE = 1000


def experiment_id(client: MlflowClient, name: str, tracking_uri: str) -> str:
    """The study's experiment, made where it is missing, taken out of the trash where it lies there."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name, artifact_location=artifact_location(tracking_uri, name)))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)


def our_runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    """Every run of ours in the experiment, the oldest of doubles first."""
    token: str | None = None
    while True:
        page = client.search_runs(
            [experiment_id],
            filter_string="tags.`stilts.kind` LIKE '%'",
            max_results=_PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def identity_of(run: Run) -> tuple[str, str]:
    """The tag (key, value) that finds the run again."""
    key = _IDENTITY_KEYS.get(run.data.tags["stilts.kind"], "stilts.kind")
    return key, run.data.tags.get(key, "")


def can_extend(run: Run, view: RunView) -> bool:
    """Whether the run is whole and everything that it shows is still true, so that adding is enough.

    Doubts are judged by themselves.
    """
    tags, data = run.data.tags, run.data
    latest = view.latest()
    shown = {name: value for name, value in data.metrics.items() if not (view.is_parent and is_doubt(name))}
    return (
        DIGEST in tags
        and data.params.items() <= {key: value[:MAX_PARAM_CHARS] for key, value in view.params.items()}.items()
        and shown.items() <= latest.items()
        and inputs_of(run) <= {(each.name, each.digest) for each in view.inputs}
    )


def inputs_of(run: Run) -> set[tuple[str, str]]:
    """(name, digest) of the datasets that the run says it read."""
    inputs = run.inputs.dataset_inputs if run.inputs is not None else []
    return {(each.dataset.name, each.dataset.digest) for each in inputs}
