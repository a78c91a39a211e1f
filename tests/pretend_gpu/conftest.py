"""Tests of the pretend GPU run where the whole process is on it."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips them elsewhere: they change torch for all tests of a process."""
    if config.getoption("device") == "cpu":
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="needs --device pretend"))
