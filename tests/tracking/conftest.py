"""An empty MLflow database, made once (creating its tables takes seconds) and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tracking.mlflow_contents import uri_of


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("empty")
    MlflowClient(tracking_uri=uri_of(folder)).search_experiments()
    return folder / "mlflow.db"


@pytest.fixture
def new_tracking(empty_database: Path, tmp_path: Path) -> Callable[[str], str]:
    """Makes the URI of an empty tracking database in a folder of that name."""

    def make(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(empty_database, folder / "mlflow.db")
        return uri_of(folder)

    return make


@pytest.fixture
def uri(new_tracking: Callable[[str], str]) -> str:
    return new_tracking("tracking")
