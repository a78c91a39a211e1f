"""Whether this process is what a Ray job runs, by what Ray tells it, and which folder of Ray's it runs in. No Ray.

Ray unpacks a job's package below a folder named by the package's hash, and deletes it when it likes: whatever a run
writes there is lost, and the next submission begins elsewhere.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What Ray 2.60 sets for the entry point of a submitted job: JSON of its runtime environment and metadata.
JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"
# What stilts writes into a job's metadata of who submitted it, and how important it is among others.
OWNER, PRIORITY = "stilts_owner", "stilts_priority"
# The folder of a node below which Ray unpacks what jobs ship.
_UNPACKED = "runtime_resources"


def submission_id() -> str | None:
    """The submission id of the job that this process is the entry point of; None outside of one."""
    found = _config("metadata").get("job_submission_id")
    return str(found) if found else None


def claim() -> tuple[str | None, int]:
    """Owner and priority of the job that this process is the entry point of, as it was submitted with; (None, 0)."""
    told = _config("metadata")
    try:
        priority = int(str(told.get(PRIORITY, 0)))
    except ValueError:  # somebody's own metadata
        priority = 0
    return (str(told[OWNER]) if OWNER in told else None), priority


def is_fleeting(place: Path) -> bool:
    """Whether a file or folder lies, within a job, in what Ray unpacked and deletes: the job's working directory."""
    return submission_id() is not None and _UNPACKED in Path(os.path.normpath(Path.cwd() / place)).parts


@contextmanager
def away() -> Iterator[None]:
    """Where a job runs in its package, works outside of that for a while.

    A node that joins on the same machine unpacks the package anew: the folder under a running process is then gone,
    though another of the same name is there.
    """
    if not is_fleeting(Path.cwd()):
        yield
        return
    here = os.getcwd()
    os.chdir(tempfile.gettempdir())
    try:
        yield
    finally:
        if os.path.isdir(here):
            os.chdir(here)


def _config(part: str) -> dict[str, object]:
    try:
        found = json.loads(os.environ.get(JOB_CONFIG, "{}"))[part]
    except (ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
