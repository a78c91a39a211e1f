"""MLflow's credentials may lie in files, as clusters mount secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stilts.errors import InputError
from stilts.tracking.mlflow_settings import apply_settings

NAME = "MLFLOW_TRACKING_PASSWORD"


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ.pop(NAME, None)


def test_a_password_comes_from_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret \n")
    os.environ[f"{NAME}_FILE"] = str(tmp_path / "password")
    apply_settings()
    assert os.environ[NAME] == "s3cret ", "without the end of its line"
    (tmp_path / "password").write_text("other")
    apply_settings()
    assert os.environ[NAME] == "s3cret ", "what the environment says holds"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.environ[f"{NAME}_FILE"] = str(tmp_path / "nowhere")
    with pytest.raises(InputError, match=rf"{NAME}_FILE=.*nowhere.*cannot be read"):
        apply_settings()
