"""Where MLflow's UI shows each study. Its own links end on an overview for language-model apps that shows no runs."""

from __future__ import annotations

from stilts.tracking.mlflow_settings import apply_settings
from stilts.tracking.study_link import VIEW_TAG, runs_page
from stilts.tracking.unreachable import explained

apply_settings()

from mlflow import MlflowClient  # noqa: E402 (the settings must stand before MLflow reads them)

_DEFAULT_EXPERIMENT = "0"


def run_pages(tracking_uri: str) -> dict[str, str]:
    """The path and query of the page with the runs, by experiment; the default experiment is left out."""
    with explained(tracking_uri):
        found = MlflowClient(tracking_uri=tracking_uri).search_experiments(order_by=["name ASC"])
    return {
        each.name: runs_page(each.experiment_id, with_view=VIEW_TAG in each.tags)
        for each in found
        if each.experiment_id != _DEFAULT_EXPERIMENT
    }
