"""A run with credentials in its environment leaves them in no file, says them nowhere, and shows them to no ``ps``."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.studies import DEADLINE_S, command, environment, stilts, tiny_study

PLANTED = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED0123456789",
    "AWS_SECRET_ACCESS_KEY": "planted/secret+of/aws0123456789",
    "AWS_SESSION_TOKEN": "planted-session-token",
    "HF_TOKEN": "hf_plantedToken0123456789",
    "MLFLOW_TRACKING_PASSWORD": "planted-mlflow-password",
    "MLFLOW_TRACKING_TOKEN": "planted-mlflow-token",
}
# Nobody answers there: that is told, and MLflow is filled from the store elsewhere.
AWAY = "http://me:planted-password@127.0.0.1:9/?api_key=planted-api-key"
SECRETS = (*PLANTED.values(), "planted-password", "planted-api-key")


@pytest.fixture
def ray_folder() -> Iterator[Path]:
    """Where Ray keeps its session: short, for the names of its sockets may have 107 bytes only."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        yield Path(folder)


def command_lines() -> bytes:
    """Those of all processes that can be seen."""
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += path.read_bytes()
        except OSError:  # it has ended
            continue
    return found


def run(study: Path, env: Mapping[str, str], folder: Path) -> tuple[int, set[str]]:
    """The status of ``stilts run``, whose words go to files, and the secrets seen on a command line meanwhile."""
    words = command("run", study, "--store", "store", "--num-cpus", 1)
    seen: set[str] = set()
    deadline = time.monotonic() + DEADLINE_S
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(words, cwd=folder, env=dict(env), stdout=out, stderr=errors)
        while process.poll() is None and time.monotonic() < deadline:
            lines = command_lines()
            seen |= {secret for secret in SECRETS if secret.encode() in lines}
            time.sleep(0.2)
        process.kill()
        return process.wait(), seen


@pytest.mark.slow
def test_planted_secrets_stand_nowhere(tmp_path: Path, ray_folder: Path) -> None:
    study = tiny_study(tmp_path / "study", intermediates={"none": None}, targets={"xnli": {"languages": ["en"]}})
    quick = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}
    env = environment(**PLANTED, **quick, MLFLOW_TRACKING_URI=AWAY, RAY_TMPDIR=str(ray_folder))
    status, on_command_lines = run(study, env, tmp_path)
    said = (tmp_path / "stderr").read_text()
    assert status == 0, said
    assert "MLflow: " in said and "***@127.0.0.1:9" in said and "stilts track" in said
    assert on_command_lines == set()

    tracked = stilts(
        "track", "--store", "store", cwd=tmp_path, env={**env, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    )
    assert tracked.returncode == 0, tracked.stderr
    away = stilts("track", "--store", "store", cwd=tmp_path, env=env)
    assert away.returncode == 1 and "***@127.0.0.1:9" in away.stderr
    reported = stilts("report", study, "--store", "store", "--out", "page", cwd=tmp_path, env=env)
    assert reported.returncode == 0, reported.stderr

    texts = {
        str(path): path.read_bytes() for top in (tmp_path, ray_folder) for path in top.rglob("*") if path.is_file()
    }
    for number, told in enumerate((tracked, away, reported)):
        texts[f"output {number}"] = (told.stdout + told.stderr).encode()
    assert any("runtime_env_agent.log" in name for name in texts) and any("mlflow.db" in name for name in texts)
    assert not [(name, secret) for name, text in texts.items() for secret in SECRETS if secret.encode() in text]
