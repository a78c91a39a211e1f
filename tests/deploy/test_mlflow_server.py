"""The MLflow server as the image starts it: secrets from files, nothing served without an account."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


class Server:
    """A server of the script, on this machine's loopback interface."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        subprocess.run([DEPLOY / "make-secrets.sh", folder], check=True, capture_output=True)
        self.password = (folder / "mlflow_password").read_text(encoding="utf-8")
        # SQLite stands in for PostgreSQL, whose driver and server a developer's machine may lack.
        database = folder / "mlflow_database"
        theirs, ours = database.read_text(encoding="utf-8"), f"sqlite:///{folder}/mlflow.db"
        database.write_text(ours, encoding="utf-8")
        accounts = folder / "mlflow_accounts.ini"
        accounts.write_text(accounts.read_text(encoding="utf-8").replace(theirs, f"sqlite:///{folder}/accounts.db"))
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLFLOW_BACKEND_STORE_URI_FILE": str(database),
            "MLFLOW_FLASK_SERVER_SECRET_KEY_FILE": str(folder / "mlflow_session_key"),
            "MLFLOW_AUTH_CONFIG_PATH": str(accounts),
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        command = [DEPLOY / "docker/mlflow-server.sh", "--host=127.0.0.1", f"--port={self.port}", "--workers=1"]
        command += [f"--artifacts-destination={folder}/artifacts", f"--allowed-hosts=127.0.0.1:{self.port}"]
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
            )

    def status(self, path: str, *, password: str | None = None, host: str | None = None) -> int:
        """The status of an answer; 0 where nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if password is not None:
            request.add_header("Authorization", "Basic " + base64.b64encode(f"stilts:{password}".encode()).decode())
        if host is not None:
            request.add_header("Host", host)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("flask_wtf", reason="`make venv` installs what MLflow's accounts need")
    made = Server(tmp_path_factory.mktemp("mlflow"))
    try:
        deadline = time.monotonic() + 180
        while made.status("/health") != 200:
            assert made.process.poll() is None and time.monotonic() < deadline, made.log.read_text()
            time.sleep(0.5)
        yield made
    finally:
        os.killpg(made.process.pid, 15)
        made.process.wait(30)


@pytest.mark.slow
def test_without_an_account_nothing_is_served_but_health(server: Server) -> None:
    assert server.status(SEARCH) == 401
    assert server.status(SEARCH, password="password1234") == 401
    assert server.status(SEARCH, password=server.password) == 200


@pytest.mark.slow
def test_under_a_foreign_name_it_answers_403_even_to_an_account(server: Server) -> None:
    assert server.status(SEARCH, password=server.password, host="evil.example") == 403


@pytest.mark.slow
def test_no_secret_stands_on_a_command_line_or_in_the_log(server: Server) -> None:
    lines = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert str(server.port) in lines and server.password not in lines
    assert server.password not in server.log.read_text(encoding="utf-8")


def test_without_accounts_it_does_not_start() -> None:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run([DEPLOY / "docker/mlflow-server.sh"], env=environment, capture_output=True, check=False)
    assert done.returncode != 0 and b"MLFLOW_AUTH_CONFIG_PATH" in done.stderr
