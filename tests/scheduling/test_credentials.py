"""Credentials of the driver reach its workers, and nothing that Ray writes down."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.tune.execution import class_cache

from stilts.errors import StiltsError
from stilts.scheduling.credentials import _given_to_trials, credentials_kept_back

PLANTED = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED0123456789",
    "AWS_SECRET_ACCESS_KEY": "planted/secret+of/aws0123456789",
    "AWS_SESSION_TOKEN": "planted-session-token-0123456789",
    "HF_TOKEN": "hf_planted0123456789",
    "MLFLOW_TRACKING_PASSWORD": "planted-mlflow-password",
}
DRIVER = """
import sys
sys.path.insert(0, {root!r})
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import EnvironmentExecutor, FakeSource, FakeStage

report = run_stages(
    FakeSource(stages=[FakeStage("stage-a")]),
    settings=RaySettings(address="local", num_cpus=1),
    on_event=print,
    execute=EnvironmentExecutor(
        folder={folder!r}, names={names!r}, store_url="s3://AKIAURL0123456789:planted-url-secret@bucket/store"
    ),
)
print("done:", report.done, report.failed)
"""


@pytest.fixture
def ray_folder() -> Iterator[Path]:
    """Where Ray keeps its session: short, for the names of its sockets may have 107 bytes only."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        yield Path(folder)


def test_planted_keys_reach_a_worker_and_no_file_of_ray(tmp_path: Path, ray_folder: Path) -> None:
    script = DRIVER.format(root=str(Path(__file__).parents[2]), folder=str(tmp_path), names=tuple(PLANTED))
    clean = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    environment = {**clean, **PLANTED, "RAY_TMPDIR": str(ray_folder)}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "done: ('stage-a',) {}" in ran.stdout, ran.stdout + ran.stderr
    assert (tmp_path / "seen").read_text().splitlines() == list(PLANTED.values())
    agent = list(ray_folder.rglob("runtime_env_agent.log"))
    assert agent and "PL_DISABLE_FORK" in agent[0].read_text(), "the log that held the keys is looked at"
    texts = {str(path): path.read_bytes() for path in ray_folder.rglob("*") if path.is_file()}
    texts |= {"stdout": ran.stdout.encode(), "stderr": ran.stderr.encode()}
    secrets = [*PLANTED.values(), "planted-url-secret"]
    assert not [(name, secret) for name, text in texts.items() for secret in secrets if secret.encode() in text]


def test_tunes_own_list_comes_back_and_holds_keys_that_are_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setenv("RAY_CHDIR_TO_TRIAL_DIR", "0")
    before = class_cache.ENV_VARS_TO_PROPAGATE
    assert "AWS_SECRET_ACCESS_KEY" in _given_to_trials()
    with credentials_kept_back():
        assert _given_to_trials() == {"PL_DISABLE_FORK": "1", "RAY_CHDIR_TO_TRIAL_DIR": "0"}
    assert class_cache.ENV_VARS_TO_PROPAGATE is before


@pytest.mark.parametrize("change", ["elsewhere", "another list", "gone"])
def test_a_ray_that_does_it_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    if change == "elsewhere":
        monkeypatch.delattr(class_cache, "ENV_VARS_TO_PROPAGATE")
    elif change == "another list":
        monkeypatch.setattr(class_cache, "DEFAULT_ENV_VARS", {"AWS_SECRET_ACCESS_KEY": "planted"})
    else:
        monkeypatch.delattr(class_cache, "_ActorClassCache")
    with pytest.raises(StiltsError, match="unknown way"), credentials_kept_back():
        pass


def test_without_credentials_any_ray_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"HOME": "/"})
    monkeypatch.delattr(class_cache, "ENV_VARS_TO_PROPAGATE")
    with credentials_kept_back():
        pass
