"""An MLflow server as ``stilts ui`` starts it, for as long as a block lasts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.studies import command, environment

SERVER_START_S = 240.0


@contextmanager
def mlflow_server(folder: Path, tracking_uri: str = "sqlite:///mlflow.db") -> Iterator[str]:
    """The address of ``stilts ui`` over a database, started in that folder and ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = command("ui", "--tracking-uri", tracking_uri, "--port", port)
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(words, cwd=folder, env=environment(), stdout=log, stderr=log, start_new_session=True)
    try:
        yield _answering(f"http://127.0.0.1:{port}", server, folder / "server.log")
    finally:
        server.send_signal(signal.SIGTERM)  # it ends the server's own processes
        with suppress(subprocess.TimeoutExpired):
            server.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answering(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + SERVER_START_S
    while time.monotonic() < until and server.poll() is None:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{address}/health", timeout=10):
            return address
        time.sleep(0.3)
    raise RuntimeError(f"no MLflow server at {address}: {log.read_text()[-2000:]}")
