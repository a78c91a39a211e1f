"""Tests of the pretend GPU run where the whole process is on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny import write_tiny_encoder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips them elsewhere: they change torch for all tests of a process."""
    if config.getoption("device") == "cpu":
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="needs --device pretend"))


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained two-layer encoder and the toy tokenizer."""
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    write_tiny_encoder(folder)
    return folder
