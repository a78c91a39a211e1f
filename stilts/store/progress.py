"""Checkpoints: the checkpoint of a stage under way. The last whole one is found again, whenever its writer was killed.

A checkpoint is a folder and a manifest with every file's bytes and SHA-256, created after the files lie there. The
newest whole one stays until its successor is whole too: two slots. A checkpoint whose hashes differ is never loaded.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from stilts.errors import LeaseLostError, StoreError
from stilts.fingerprint import Json
from stilts.store.artifact_store import Lease
from stilts.store.backend import Backend
from stilts.store.content import FileFact, facts_of, first_flaw
from stilts.store.documents import Documents
from stilts.store.download import Downloads
from stilts.store.layout import PROGRESS, check_stage, is_checkpoint, is_stage, manifest_number


class Checkpoints:
    """The checkpoints of a store."""

    def __init__(self, backend: Backend, documents: Documents, downloads: Downloads) -> None:
        self._backend = backend
        self._documents = documents
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
        manifest: dict[str, Json] = {"folder": name, "time": time.time(), "files": files}
        lease.check()
        if not self._documents.create(self._path(stage_id, newest + 1), manifest):
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
        """Bytes of all checkpoints, whole or torn, by stage id. Names that stilts does not make are passed over."""
        sizes: dict[str, int] = {}
        for entry in self._backend.walk(PROGRESS):
            stage_id, _, rest = entry.path.partition("/")
            name = rest.partition("/")[0]
            if is_stage(stage_id) and (is_checkpoint(name) or manifest_number(rest) is not None):
                sizes[stage_id] = sizes.get(stage_id, 0) + entry.bytes
        return sizes

    def _numbers(self, stage_id: str) -> list[int]:
        found = map(manifest_number, self._backend.children(f"{PROGRESS}/{stage_id}"))
        return [number for number in found if number is not None]

    def _keep_only(self, stage_id: str, number: int) -> None:
        """Deletes every manifest and folder but those of one number; a folder without a manifest is torn."""
        base = f"{PROGRESS}/{stage_id}"
        names = sorted(self._backend.children(base))
        for name in (name for name in names if manifest_number(name) not in (None, number)):
            self._backend.delete(f"{base}/{name}")
        kept = self._manifest(stage_id, number)
        for name in (name for name in names if is_checkpoint(name) and (kept is None or name != kept[0])):
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
        try:
            fields = self._documents.value(self._path(stage_id, number)) or {}
            folder, files = fields.get("folder"), fields.get("files")
            facts = tuple(FileFact.parse(value) for value in (files if isinstance(files, list) else []))
        except StoreError:
            return None
        return (folder, facts) if isinstance(folder, str) and is_checkpoint(folder) and facts else None

    def _path(self, stage_id: str, number: int) -> str:
        return f"{PROGRESS}/{stage_id}/{number:08d}.json"
