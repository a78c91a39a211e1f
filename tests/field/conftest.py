"""A small encoder for the studies that run, and no settings of whoever runs the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.training.tiny import write_tiny_encoder


@pytest.fixture(autouse=True, scope="session")
def _own_settings() -> Iterator[None]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("STILTS_STORE", "MLFLOW_"))}
    with mock.patch.dict(os.environ, ours, clear=True):
        yield


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random encoder, written once."""
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    folder.mkdir()
    write_tiny_encoder(folder)
    return folder
