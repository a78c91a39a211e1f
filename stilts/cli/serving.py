"""The MLflow server behind ``stilts ui``: bound to loopback, allowed hosts set, ended with the command."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from stilts.addresses import has_secret, shown_address
from stilts.errors import StageFailedError
from stilts.scheduling import signals
from stilts.shown import shown

PORT = 5000


def pages(tracking_uri: str) -> dict[str, str]:
    """Where the UI shows the runs of each study; {} where nothing was tracked yet. Makes no database."""
    if tracking_uri.startswith("sqlite:///") and not Path(tracking_uri.removeprefix("sqlite:///")).exists():
        return {}
    from stilts.tracking.pages import run_pages

    return run_pages(tracking_uri)


def address_of(tracking_uri: str, port: int) -> str:
    """Where a browser finds the UI: at the tracking server itself, without secrets, or at ours on loopback."""
    return shown_address(tracking_uri).rstrip("/") if _is_server(tracking_uri) else f"http://127.0.0.1:{port}"


def link_of(tracking_uri: str, study: str, port: int = PORT) -> str | None:
    """Where a browser finds the study's runs, once ``stilts ui`` serves them if no server does; None where none are."""
    from stilts.tracking.study_link import study_page

    page = study_page(tracking_uri, study) if tracking_uri != "none" else None
    return f"{address_of(tracking_uri, port)}{page}" if page else None


def link_line(link: str | None, tracking_uri: str) -> str:
    """The link as a verb tells it; empty where there is none."""
    if link is None:
        return ""
    return f"MLflow{'' if _is_server(tracking_uri) else ' (stilts ui)'}: {shown(link)}"


def command_of(program: str, tracking_uri: str, port: int) -> str:
    """What to type to open the UI; an address with secrets in it comes from the environment, not from this line."""
    if has_secret(tracking_uri):
        return f"{program} ui --port {port}"
    return f"{program} ui --tracking-uri {shlex.quote(tracking_uri)} --port {port}"


def how_to_open(command: str, url: str, listed: str, *, secret: bool) -> str:
    """The sentences of ``stilts ui --how``."""
    before = "with the address of MLflow in the environment variable MLFLOW_TRACKING_URI, " if secret else ""
    return f"To browse the runs, {before}type:  {command}\nand open{listed or f' {url}'}"


def serve(tracking_uri: str, port: int) -> None:
    """Runs ``mlflow server`` over the tracking database in the foreground; StageFailedError when it cannot start.

    An address that is a server's already is only told: its pages are there. The database's address travels in the
    environment, which other users cannot read as they can a command line.
    """
    if _is_server(tracking_uri):
        print(shown(f"A server shows these runs already: open {shown_address(tracking_uri)}"), flush=True)
        return
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--allowed-hosts", f"127.0.0.1:{port},localhost:{port}"]
    print(shown(f"MLflow at http://127.0.0.1:{port} in a few seconds; Ctrl-C ends it."), flush=True)
    quiet = {
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_BACKEND_STORE_URI": tracking_uri,
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


def _is_server(tracking_uri: str) -> bool:
    return urlsplit(tracking_uri).scheme in ("http", "https")
