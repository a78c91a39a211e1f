"""What several files of end-to-end tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.e2e.studies import tiny_study

STEPS = {"train": {"steps": 2}}


@pytest.fixture(scope="module")
def own_settings() -> Iterator[None]:
    """No store and no tracking address of whoever runs the tests: for verbs that are typed in this process."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("STILTS_", "MLFLOW_"))}
    with mock.patch.dict(os.environ, ours, clear=True):
        yield


@pytest.fixture(scope="module")
def study(own_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two rows and one target that is over in seconds."""
    return tiny_study(
        tmp_path_factory.mktemp("study"), intermediates={"none": None, "mnli": STEPS}, targets={"xnli": STEPS}
    )
