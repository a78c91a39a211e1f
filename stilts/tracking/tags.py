"""Tags of the study's runs: what the UI filters by."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stilts.ledger.records import Failure
from stilts.ledger.results import EvaluateResult, TrainResult
from stilts.study.record import Replicate, StudyRecord
from stilts.tracking.ray_job import TAG as RAY_JOB
from stilts.tracking.run_view import RunStatus
from stilts.tracking.stored import StoredStudy

# The folders of a path from the root, as errors name files; no part of an address behind "://".
_FOLDERS = re.compile(r"(?<![\w.:/~-])/(?:[^\s/'\":]+/)+")


def study_tags(record: StudyRecord, kind: str, status: RunStatus) -> dict[str, str]:
    """What every run of the study carries; ``kind`` is what MLflow finds it by."""
    tags = {"stilts.kind": kind, "study": record.name, "selection": record.selection, "status": status.value}
    return tags | {"toy": str(record.toy).lower()}


def row_tags(replicate: Replicate) -> dict[str, str]:
    """Intermediate, its seed, proposal and stage, as far as there are any."""
    values = {
        "intermediate": replicate.row,
        "intermediate_seed": replicate.intermediate_seed,
        "proposal": replicate.proposal,
        "intermediate_stage": replicate.intermediate_stage,
    }
    return {key: str(value) for key, value in values.items() if value is not None}


def column_tags(replicate: Replicate) -> dict[str, str]:
    """Target, its seed and its stages, as far as there are any."""
    values = {
        "replicate_id": replicate.replicate_id,
        "target": replicate.column,
        "target_seed": replicate.target_seed,
        "target_stage": replicate.target_stage,
        "evaluate_stage": replicate.evaluate_stage,
    }
    return {key: str(value) for key, value in values.items() if value is not None}


def ran_tags(results: Iterable[TrainResult | EvaluateResult]) -> dict[str, str]:
    """The Ray jobs, nodes and devices that the results come from, as far as they say so."""
    found: dict[str, dict[str, None]] = {}
    for result in results:
        for tag, name in ((RAY_JOB, "job"), ("node", "node"), ("device", "device_name")):
            if value := result.execution.get(name):
                found.setdefault(tag, {})[str(value)] = None
    return {tag: ", ".join(sorted(values)) for tag, values in found.items()}


def failure_tags(stored: StoredStudy, *stages: str) -> dict[str, str]:
    """Why stages failed or were pruned; empty where they did not. Files have their names, not the machine's folders."""
    tags: dict[str, str] = {}
    for one in stored.trouble(*stages):
        if isinstance(one, Failure):
            tags |= {"error": _FOLDERS.sub("", one.error), "error_kind": one.kind}
        else:
            tags["pruned_because"] = one.reason
    return tags
