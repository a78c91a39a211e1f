"""Downloads: local copies of what lies in a bucket. Each artifact once per machine, whole, checked by SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from stilts.errors import DamagedError
from stilts.store.backend import Backend
from stilts.store.cache_limit import Held, cache_limit, keep_within
from stilts.store.content import FileFact, first_flaw


class Downloads:
    """Copies below ``cache_dir`` (artifacts, for all processes) and ``scratch_dir`` (checkpoints, for this one)."""

    def __init__(self, backend: Backend, *, cache_dir: Path, scratch_dir: Path) -> None:
        self._backend = backend
        store = hashlib.sha256(backend.url.encode()).hexdigest()[:12]
        self._cache = cache_dir / store
        self._scratch = scratch_dir / f"stilts-{store}-{os.getpid()}"
        self._held = Held()

    def artifact(self, place: str, facts: Sequence[FileFact]) -> Path:
        """The folder with a whole copy of the artifact's files; DamagedError names one that is missing or altered."""
        folder = self._cache / place
        if self._held.hold(folder) and first_flaw(folder, facts) is None:
            return folder
        temp = self._cache / f"tmp-{uuid.uuid4().hex}"
        try:
            self._download(place, facts, temp)
            flaw = first_flaw(temp, facts)
            if flaw is not None:
                raise DamagedError(place, flaw)
            self._settle(temp, folder, facts)
        finally:
            shutil.rmtree(temp, ignore_errors=True)
        self._held.hold(folder)
        keep_within(cache_limit())
        return folder

    def checkpoint(self, place: str, facts: Sequence[FileFact]) -> Path:
        """A fresh folder with the checkpoint's files; the earlier copies of this process are deleted."""
        folder = self._scratch / place
        shutil.rmtree(folder.parent, ignore_errors=True)
        self._download(place, facts, folder)
        return folder

    def forget(self, place: str) -> None:
        """Deletes this process's copies of checkpoints below the place."""
        shutil.rmtree(self._scratch / place, ignore_errors=True)

    def _download(self, place: str, facts: Sequence[FileFact], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._backend.get(place, [fact.path for fact in facts], folder)

    def _settle(self, temp: Path, folder: Path, facts: Sequence[FileFact]) -> None:
        """Moves a whole copy to its place, in place of a damaged one; another process may have done so first."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(temp, folder)
        except OSError:
            if first_flaw(folder, facts) is None:
                return
            shutil.rmtree(folder)
            os.rename(temp, folder)
