"""The MLflow server behind ``stilts ui``: bound to loopback, allowed hosts set, ended with the command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from stilts.errors import StageFailedError
from stilts.scheduling import signals


def pages(tracking_uri: str) -> dict[str, str]:
    """Where the UI shows the runs of each study; {} where nothing was tracked yet. Makes no database."""
    if tracking_uri.startswith("sqlite:///") and not Path(tracking_uri.removeprefix("sqlite:///")).exists():
        return {}
    from stilts.tracking.pages import run_pages

    return run_pages(tracking_uri)


def serve(tracking_uri: str, port: int) -> None:
    """Runs ``mlflow server`` over the tracking database in the foreground; StageFailedError when it cannot start.

    An address that is a server's already is only told: its pages are there.
    """
    if urlsplit(tracking_uri).scheme in ("http", "https"):
        print(f"A server shows these runs already: open {_without_user(tracking_uri)}", flush=True)
        return
    hosts = f"127.0.0.1:{port},localhost:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", tracking_uri, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--allowed-hosts", hosts]
    print(f"MLflow at http://127.0.0.1:{port} in a few seconds; Ctrl-C ends it.", flush=True)
    quiet = {
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    server = subprocess.Popen(command, env=quiet, start_new_session=True)
    try:
        status = server.wait()
    except KeyboardInterrupt:
        if signals.received() not in (None, signal.SIGINT):
            raise
        status = 0
    finally:  # MLflow starts workers of its own, which outlive it unless the whole group is ended
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
    if status not in (0, 130, -2):
        raise StageFailedError(
            f"MLflow server on port {port}",
            f"it ended with status {status}",
            "The port may be taken, or the database in use by another version",
            "Try another --port",
        )


def _without_user(address: str) -> str:
    """The address without a name and password in it."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
