"""The Ray job that a study runs in: its submission id, as Ray tells the process that it starts. It imports no Ray.

The process that follows a run passes it on under a name of its own: ``stilts track`` typed in some job says nothing of
where the study ran.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

TAG = "ray_job"
_TOLD = "STILTS_RAY_JOB"
# What Ray 2.60 sets for the entry point of a submitted job: JSON, with the id among its metadata.
_RAYS = "RAY_JOB_CONFIG_JSON_ENV_VAR"


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that names the job of a run's environment; {} outside of one."""
    try:
        found = json.loads(environment.get(_RAYS, "{}"))["metadata"]["job_submission_id"]
    except (ValueError, LookupError, TypeError):
        return {}
    return {_TOLD: str(found)}


def job_tags() -> dict[str, str]:
    """The tag of the study's run that names the job; {} where the run that is followed is in none."""
    job = os.environ.get(_TOLD)
    return {TAG: job} if job else {}
