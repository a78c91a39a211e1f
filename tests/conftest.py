"""What tests of several rooms share."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

# How long one example takes says more of what else a machine is doing than of the code.
settings.register_profile("stilts", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("stilts")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data and the small encoder; tests that need it are skipped, with the reason, without it."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("STILTS_SHARED", default))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data in {folder}; set STILTS_SHARED to the folder that holds data/ and text/")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test finds good is not known to the next, and nothing of it lands among the user's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "caches" / uuid.uuid4().hex))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        choices=["cpu", "pretend"],
        default="cpu",
        help="where models of these tests run: the CPU, or the pretend GPU of tests/pretend_gpu, for the whole process",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Puts the process on the pretend GPU where that was asked for: RunConfig's own device is then that one."""
    if config.getoption("device") == "pretend":
        from stilts.training.run_config import RunConfig
        from tests.pretend_gpu.device import DEVICE, install

        install()
        assert RunConfig.__init__.__kwdefaults__ is not None
        RunConfig.__init__.__kwdefaults__["device"] = DEVICE


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Where models run, as ``--device`` says."""
    from tests.training.tiny import run_device

    return run_device()


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained two-layer encoder and the toy tokenizer, for stages that really run."""
    from tests.training.tiny import write_tiny_encoder

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    write_tiny_encoder(folder)
    return folder
