"""A tiny encoder in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny import write_tiny_encoder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained two-layer encoder and the toy tokenizer."""
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    write_tiny_encoder(folder)
    return folder
