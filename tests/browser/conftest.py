"""A finished study, an MLflow server over it and a browser: each made once, for starting them takes half a minute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, chromium, programs
from tests.browser.server import mlflow_server
from tests.browser.studies import Finished, finished, track


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if programs() is None:
        pytest.skip("no chromium with its driver here; on Debian: apt install chromium chromium-driver")
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def study(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def address(study: Finished) -> Iterator[str]:
    """Where MLflow shows the study."""
    track(study)
    with mlflow_server(study.folder) as found:
        yield found
