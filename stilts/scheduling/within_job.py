"""Whether this process is what a Ray job runs, by what Ray tells it, and which folder of Ray's it runs in. No Ray.

Ray unpacks a job's package below a folder named by the package's hash, and deletes it when it likes: whatever a run
writes there is lost, and the next submission begins elsewhere.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

# What Ray 2.60 sets for the entry point of a submitted job: JSON of its runtime environment and metadata.
JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"
# The folder of a node below which Ray unpacks what jobs ship.
_UNPACKED = "runtime_resources"


def submission_id() -> str | None:
    """The submission id of the job that this process is the entry point of; None outside of one."""
    found = _config("metadata").get("job_submission_id")
    return str(found) if found else None


def is_fleeting(folder: Path) -> bool:
    """Whether a folder lies in what Ray deletes: the job's working directory, or another that was unpacked."""
    where = Path(os.path.normpath(Path.cwd() / folder))
    if _UNPACKED in where.parts and submission_id() is not None:
        return True
    return "working_dir" in _config("runtime_env") and where.is_relative_to(Path.cwd())


def _config(part: str) -> dict[str, object]:
    try:
        found = json.loads(os.environ.get(JOB_CONFIG, "{}"))[part]
    except (ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
