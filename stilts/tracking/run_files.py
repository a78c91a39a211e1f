"""Note and artifacts of a run: matrix, pictures and study file, configs, tables. Written only where they differ."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from stilts.tracking.existing import ARTIFACTS_DIGEST, MAX_TAG_CHARS, NOTE, TABLES
from stilts.tracking.predictions import PREDICTIONS_FILE
from stilts.tracking.ray_job import TAGS as JOB_TAGS

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# By this tag the UI knows a JSON artifact as a table; MlflowClient.log_table writes the same.
_TABLE_TAG = json.dumps([{"path": PREDICTIONS_FILE, "type": "table"}])

# Path below the run's artifacts -> file or bytes.
Artifacts: TypeAlias = "Mapping[str, Path | bytes]"


def write_note(client: MlflowClient, run_id: str, tags: Mapping[str, str], note: str) -> bool:
    """Whether the note (Markdown, cut to what a tag holds) differed from the one in ``tags`` and was written."""
    note = note[:MAX_TAG_CHARS]
    if tags.get(NOTE) == note:
        return False
    client.set_tag(run_id, NOTE, note)
    return True


def upload(client: MlflowClient, run_id: str, tags: Mapping[str, str], artifacts: Artifacts) -> dict[str, str]:
    """Uploads those artifacts whose bytes differ from what ``tags`` says was uploaded last.

    The tags that say so come back, for the caller to write; empty where nothing differed.
    """
    contents = {name: body if isinstance(body, bytes) else body.read_bytes() for name, body in artifacts.items()}
    before = json.loads(tags.get(ARTIFACTS_DIGEST, "{}"))
    now = before | {name: hashlib.sha256(body).hexdigest()[:12] for name, body in contents.items()}
    changed = {name: body for name, body in contents.items() if before.get(name) != now[name]}
    if not changed:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for name, body in changed.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        client.log_artifacts(run_id, folder)
    written = {ARTIFACTS_DIGEST: json.dumps(now, sort_keys=True)}
    return written | ({TABLES: _TABLE_TAG} if PREDICTIONS_FILE in now else {})


def carry_over(client: MlflowClient, old: Run, new_id: str) -> None:
    """Copies note, job and artifacts of a parent run that is being replaced."""
    if ARTIFACTS_DIGEST in old.data.tags:
        with tempfile.TemporaryDirectory() as folder:
            client.download_artifacts(old.info.run_id, "", folder)
            client.log_artifacts(new_id, folder)
    for key in (NOTE, ARTIFACTS_DIGEST, *JOB_TAGS):
        if key in old.data.tags:
            client.set_tag(new_id, key, old.data.tags[key])
