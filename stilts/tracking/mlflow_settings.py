"""How stilts uses MLflow: no telemetry, short waits. Import this before anything of MLflow; it does not import it.

A variable that is set already is left as it is.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stilts.errors import InputError, StiltsError

_POLL_S = 0.1

_SETTINGS = {
    # MLflow 3 sends usage reports unless one of these is "true" when it is imported (the second must not be "1").
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # Its own 7 retries with doubling waits block for minutes; the next round comes by itself.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # Making a database is told in several lines of INFO.
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Ending a run prints a line with its address: a hundred lines in the middle of our progress.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


# What MLflow takes from the environment alone; with _FILE behind the name, from a file: a secret that is mounted.
_CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


def apply_settings() -> None:
    """Sets every variable that the environment leaves open; InputError for a file of a credential that is not there."""
    for name, value in {**_SETTINGS, **_from_files()}.items():
        os.environ.setdefault(name, value)


def _from_files() -> dict[str, str]:
    """The credentials whose files are named, without the end of line behind them."""
    found = {}
    for name in _CREDENTIALS:
        path = os.environ.get(f"{name}_FILE")
        if not path or name in os.environ:
            continue
        try:
            found[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{name}_FILE={path}",
                f"it cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})",
                "MLflow's server would let nobody in",
                "Name a file that this machine can read, or unset the variable",
            ) from error
    return found


def artifact_location(tracking_uri: str, experiment: str) -> str | None:
    """Where an experiment's artifacts go: ``mlruns/<experiment>`` beside an SQLite file.

    None, MLflow's own choice, for every other URI. Makes the database's folder, which SQLite does not do.
    """
    database = _database(tracking_uri)
    return None if database is None else (database.parent / "mlruns" / experiment).as_uri()


def _database(tracking_uri: str) -> Path | None:
    """The SQLite file of an address, in a folder that is there; None for every other address."""
    prefix, _, path = tracking_uri.partition(":///")
    if not prefix.startswith("sqlite") or not path or path.startswith(":memory:"):
        return None
    database = Path(path.partition("?")[0]).absolute()
    database.parent.mkdir(parents=True, exist_ok=True)
    return database


def quieten() -> None:
    """Silences what MLflow says below a warning, where the environment does not ask for it.

    ``MLFLOW_LOGGING_LEVEL`` is read when MLflow is imported, and others, Ray among them, may have done so before us.
    """
    level = logging.getLevelNamesMapping().get(os.environ.get("MLFLOW_LOGGING_LEVEL", "").upper(), logging.WARNING)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(level)


@contextmanager
def one_at_a_time(tracking_uri: str, *, patience_s: float = 600.0) -> Iterator[None]:
    """Keeps two processes of this machine from writing to one SQLite database at once.

    Two that create its tables at the same moment leave a database that MLflow can never open again. The lock is a file
    beside it; other addresses are not locked. StiltsError when another process holds it for longer than ``patience_s``
    seconds.
    """
    database = _database(tracking_uri)
    if database is None:
        yield
        return
    with Path(f"{database}.lock").open("w") as lock:
        deadline = time.monotonic() + patience_s
        while not _taken(lock):
            if time.monotonic() > deadline:
                raise StiltsError(
                    f"MLflow database {database}",
                    f"another process has been writing to it for more than {patience_s:g} s",
                    "Two writers at once could damage it",
                    'When that process is done, or ended, type "stilts track"',
                )
            time.sleep(_POLL_S)
        yield


def _taken(lock: IO[str]) -> bool:
    """Whether the lock is ours now. Asked again and again, for a wait inside flock could not be given up."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
