"""The Ray job that a study runs in: id, owner and priority, as Ray tells the process that it starts. It imports no Ray.

The process that follows a run passes it on under a name of its own: ``stilts track`` typed in some job says nothing of
where the study ran.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

TAG = "ray_job"
# By tag of the study's run: the name among the job's metadata, and the variable under which it is passed on.
_TOLD = {
    TAG: ("job_submission_id", "STILTS_RAY_JOB"),
    "owner": ("stilts_owner", "STILTS_RAY_OWNER"),
    "priority": ("stilts_priority", "STILTS_RAY_PRIORITY"),
}
TAGS = tuple(_TOLD)
# What Ray 2.60 sets for the entry point of a submitted job: JSON, with the id among its metadata.
_RAYS = "RAY_JOB_CONFIG_JSON_ENV_VAR"


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell of the job of a run's environment; {} outside of one."""
    try:
        found = dict(json.loads(environment.get(_RAYS, "{}"))["metadata"])
    except (ValueError, LookupError, TypeError):
        return {}
    return {variable: str(found[name]) for name, variable in _TOLD.values() if name in found}


def job_tags() -> dict[str, str]:
    """The tags of the study's run that tell of its job; {} where the run that is followed is in none."""
    return {tag: told for tag, (_, variable) in _TOLD.items() if (told := os.environ.get(variable))}
