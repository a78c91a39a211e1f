"""A folder with an encoder that studies of these tests name ``tiny``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.study.toy_study import write_encoder_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the studies lie."""
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder
