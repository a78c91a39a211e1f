"""The page on which MLflow shows a study's runs, found without MLflow, whose import takes seconds of a core.

The UI's own links end on an overview for language-model apps that shows no runs. An SQLite file is read as it lies
there, a server is asked by its REST API, for seconds at most. Neither is written.
"""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

from stilts.addresses import has_secret

# Which of the two sides of MLflow's UI is meant, and the view in which the runs are opened (``landing.py``).
TRAINING = "workflowType=machine_learning"
_KEY = "stilts"
VIEW_TAG = f"mlflow.sharedViewState.{_KEY}"
_PATIENCE_S = 3.0
_NAMED = "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'active'"
_TAGS = "SELECT key FROM experiment_tags WHERE experiment_id = ?"


def runs_page(experiment_id: str, *, with_view: bool = True) -> str:
    """Path and query of the page with the runs; without the view where the experiment has none: MLflow would fail."""
    view = f"&viewStateShareKey={_KEY}" if with_view else ""
    return f"/#/experiments/{experiment_id}/runs?{TRAINING}{view}"


def study_page(tracking_uri: str, study: str) -> str | None:
    """Path and query of the study's page; None where nothing was tracked yet, or cannot be seen from here.

    A server that wants a password is not asked: it stands in the address, or in variables that are MLflow's to read.
    """
    try:
        if tracking_uri.startswith("sqlite:///"):
            return _in_file(Path(tracking_uri.removeprefix("sqlite:///").partition("?")[0]), study)
        if urlsplit(tracking_uri).scheme in ("http", "https") and not has_secret(tracking_uri):
            return _on_server(tracking_uri.rstrip("/"), study)
    except (OSError, ValueError, LookupError, TypeError, sqlite3.Error):  # away, of another version, or no MLflow
        return None
    return None


def _in_file(database: Path, study: str) -> str | None:
    if not database.is_file():
        return None
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as opened:
        row = opened.execute(_NAMED, (study,)).fetchone()
        return None if row is None else _page(row[0], (key for (key,) in opened.execute(_TAGS, (row[0],))))


def _on_server(address: str, study: str) -> str | None:
    asked = f"{address}/api/2.0/mlflow/experiments/get-by-name?experiment_name={quote(study, safe='')}"
    with urllib.request.urlopen(asked, timeout=_PATIENCE_S) as answer:
        experiment = json.load(answer)["experiment"]
    return _page(experiment["experiment_id"], (tag["key"] for tag in experiment.get("tags", [])))


def _page(experiment_id: object, tags: Iterable[str]) -> str:
    return runs_page(str(experiment_id), with_view=VIEW_TAG in set(tags))
