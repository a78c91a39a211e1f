"""Progress: the checkpoint of a stage under way. The last whole one is found again, whenever its writer was killed.

A checkpoint is a folder and a manifest with every file's bytes and SHA-256, created after the files lie there. The
newest whole one stays until its successor is whole too: two slots. A checkpoint whose hashes differ is never loaded.
"""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

from stilts.errors import LeaseLostError, StoreError
from stilts.fingerprint import Json
from stilts.store.artifact_store import Lease
from stilts.store.backend import Backend, from_json, to_json
from stilts.store.content import FileFact, facts_of, first_flaw
from stilts.store.download import Downloads
from stilts.store.layout import PROGRESS, check_stage

_MANIFEST = re.compile(r"(\d{8,})\.json")
_FOLDER = re.compile(r"\d{8,}-[0-9a-f]{16}")


class Progress:
    """The checkpoints of a store."""

    def __init__(self, backend: Backend, downloads: Downloads) -> None:
        self._backend = backend
        self._downloads = downloads

    def save(self, stage_id: str, folder: Path, lease: Lease, *, consume: bool) -> None:
        """Stores the folder's files as the stage's newest checkpoint; see ``Store.save_progress``."""
        if lease.name != check_stage(stage_id):
            raise StoreError(
                f"save progress of {stage_id}", f"the lease is of {lease.name}", "", "Take the stage's own lease"
            )
        lease.check()
        numbers = self._numbers(stage_id)
        newest = max(numbers, default=0)
        self._keep_only(stage_id, newest)
        facts, name = facts_of(folder), f"{newest + 1:08d}-{uuid.uuid4().hex[:16]}"
        place = f"{PROGRESS}/{stage_id}/{name}"
        self._backend.put(folder, [fact.path for fact in facts], place, keep=not consume, alias=False)
        files: list[Json] = [fact.as_json() for fact in facts]
        manifest = to_json(f"progress of {stage_id}", {"folder": name, "time": time.time(), "files": files})
        lease.check()
        path = self._path(stage_id, newest + 1)
        if not self._backend.create(path, manifest) and self._backend.read(path) != manifest:
            self._backend.delete_tree(place)
            raise LeaseLostError(
                f"save progress of {stage_id}", "another process saved a checkpoint at the same moment"
            )

    def load(self, stage_id: str) -> Path | None:
        """A local folder with the newest whole checkpoint, or None. Damaged ones are struck off: they never heal."""
        for number in sorted(self._numbers(check_stage(stage_id)), reverse=True):
            folder = self._whole(stage_id, number)
            if folder is not None:
                return folder
            self._backend.delete(self._path(stage_id, number))
        return None

    def drop(self, stage_id: str) -> None:
        """Deletes all checkpoints of the stage; the oldest first, so that a kill leaves the newest or none."""
        for number in sorted(self._numbers(check_stage(stage_id))):
            self._backend.delete(self._path(stage_id, number))
        self._keep_only(stage_id, 0)
        self._downloads.forget(f"{PROGRESS}/{stage_id}")

    def sizes(self) -> dict[str, int]:
        """Bytes of all checkpoints, whole or torn, by stage id."""
        sizes: dict[str, int] = {}
        for entry in self._backend.walk(PROGRESS):
            stage_id = _stage_of(entry.path)
            sizes[stage_id] = sizes.get(stage_id, 0) + entry.bytes
        return sizes

    def _numbers(self, stage_id: str) -> list[int]:
        matches = (_MANIFEST.fullmatch(name) for name in self._backend.children(f"{PROGRESS}/{stage_id}"))
        return [int(match[1]) for match in matches if match]

    def _keep_only(self, stage_id: str, number: int) -> None:
        """Deletes every manifest and folder but those of one number; a folder without a manifest is torn."""
        base = f"{PROGRESS}/{stage_id}"
        names = sorted(self._backend.children(base))
        for name in (name for name in names if _MANIFEST.fullmatch(name) and int(name[:-5]) != number):
            self._backend.delete(f"{base}/{name}")
        kept = self._manifest(stage_id, number)
        for name in (name for name in names if _FOLDER.fullmatch(name) and (kept is None or name != kept[0])):
            self._backend.delete_tree(f"{base}/{name}")

    def _whole(self, stage_id: str, number: int) -> Path | None:
        manifest = self._manifest(stage_id, number)
        if manifest is None:
            return None
        place = f"{PROGRESS}/{stage_id}/{manifest[0]}"
        folder = self._backend.local(place) or self._downloads.checkpoint(place, manifest[1])
        return folder if first_flaw(folder, manifest[1]) is None else None

    def _manifest(self, stage_id: str, number: int) -> tuple[str, tuple[FileFact, ...]] | None:
        """The folder's name and its files, or None where the manifest is missing or damaged."""
        path = self._path(stage_id, number)
        try:
            fields = from_json(path, self._backend.read(path) or b"")
            files = fields.get("files") if isinstance(fields, dict) else None
            facts = tuple(FileFact.parse(value) for value in (files if isinstance(files, list) else []))
        except StoreError:
            return None
        return (str(fields["folder"]), facts) if isinstance(fields, dict) and facts and "folder" in fields else None

    def _path(self, stage_id: str, number: int) -> str:
        return f"{PROGRESS}/{stage_id}/{number:08d}.json"


def _stage_of(path: str) -> str:
    """The stage id of ``<stage id>/<number>.json`` or ``<stage id>/<folder>/<file>``."""
    parts = path.split("/")
    at = next(
        (i for i, part in enumerate(parts) if _MANIFEST.fullmatch(part) or _FOLDER.fullmatch(part)), len(parts) - 1
    )
    return "/".join(parts[:at])
