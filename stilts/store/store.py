"""Store: the one implementation of ``ArtifactStore``, over a local folder or a bucket. ``opening.py`` makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stilts.fingerprint import Json
from stilts.store.artifact_store import Lease
from stilts.store.artifacts import Artifacts, Attempt
from stilts.store.backend import Backend, Entry
from stilts.store.documents import Bodies, Documents
from stilts.store.download import Downloads
from stilts.store.layout import TEMP, check_stage, is_temp
from stilts.store.lease import Leases
from stilts.store.lease_state import LeaseState
from stilts.store.progress import Checkpoints
from stilts.store.published import Publications
from stilts.store.records import Records
from stilts.store.strays import find_strays


class Store:
    """Artifacts, leases, checkpoints and records of one place. Safe to share among threads; pickles as its URL."""

    def __init__(
        self,
        backend: Backend,
        documents: Documents,
        downloads: Downloads,
        leases: Leases,
        *,
        reopen: Callable[[], tuple[Callable[..., Store], str, Mapping[str, object]]],
    ) -> None:
        self.url = backend.url
        self.backend = backend
        self.documents = documents
        self._artifacts = Artifacts(backend, documents, downloads)
        self._checkpoints = Checkpoints(backend, documents, downloads)
        self._records = Records(backend, documents)
        self._leases = leases
        self._reopen = reopen

    def __reduce__(self) -> tuple[object, ...]:
        return _reopened, self._reopen()

    def reopened(self) -> Store:
        """The same store, opened anew with the same options."""
        open_it, url, options = self._reopen()
        return open_it(url, **options)

    # Artifacts

    def done(self) -> frozenset[str]:
        """The keys of all published artifacts."""
        return frozenset(self._artifacts.versions())

    def is_done(self, key: str) -> bool:
        """Whether the artifact is published (its files may be gone since)."""
        return self._artifacts.is_done(key)

    def publish(
        self, key: str, folder: Path, *, payload: Mapping[str, Json], result: Mapping[str, Json], lease: Lease
    ) -> None:
        """Publishes every file of the folder, atomically; the first to publish a key wins.

        A local store on the folder's file system keeps hard links to its files and makes them read only: delete the
        folder afterwards, do not write into its files. A key whose files are gone gets files again; its
        payload and result stay the first ones. The lease must be that of the stage that the key begins with.
        """
        self._artifacts.publish(key, folder, payload=payload, result=result, lease=lease)

    def result(self, key: str) -> dict[str, Json]:
        """The result published with the artifact; StoreError when there is none, DamagedError where it is damaged."""
        return dict(self._artifacts.published(key).result)

    def publications(self, keys: Sequence[str]) -> Publications:
        """What was published of those keys, and which are damaged; one round of parallel reads in a bucket."""
        return self._artifacts.publications(keys)

    def payload(self, key: str) -> dict[str, Json]:
        """The identity payload published with the artifact; StoreError when there is none."""
        return dict(self._artifacts.published(key).payload)

    def fetch(self, key: str) -> Path:
        """A local folder with the artifact's files (read only), checked by SHA-256 once per process.

        In place for a local store, a cached download for a bucket. StoreError names a missing or altered file.
        """
        return self._artifacts.fetch(key)

    def sizes(self, key: str) -> dict[str, int]:
        """Bytes of each file that the artifact was (last) published with."""
        return {fact.path: fact.bytes for fact in self._artifacts.files(key)}

    def gone(self, key: str) -> bool:
        """Whether the artifact is done but its files were dropped."""
        version = self._artifacts.version(key)
        return version is not None and version.gone

    def gone_keys(self) -> frozenset[str]:
        """The keys of all artifacts that are done and whose files were dropped."""
        return frozenset(key for key, version in self._artifacts.versions().items() if version.gone)

    def drop_files(self, key: str, why: str) -> int:
        """Deletes the artifact's files, keeps payload and result, and returns the bytes freed."""
        return self._artifacts.drop_files(key, why)

    def mark_gone(self, key: str, why: str) -> None:
        """Says that the artifact's files are no longer there; payload and result stay, nothing is deleted."""
        self._artifacts.mark_gone(key, why)

    def keys(self) -> dict[str, list[str]]:
        """Every key under which anything was ever published, with the names of its objects."""
        return self._artifacts.names()

    # Leases

    def lease(self, name: str) -> Lease:
        """Takes the lease of a stage; LeaseHeldError while another live process holds it."""
        return self._leases.take(name)

    def leased(self) -> frozenset[str]:
        """The names of all leases held by live processes."""
        return frozenset(state.name for state in self._leases.states() if state.live)

    # Checkpoints

    def save_progress(self, stage_id: str, folder: Path, lease: Lease, *, consume: bool = False) -> None:
        """Replaces the stage's checkpoint by the files of the folder, atomically.

        The files are copied, so the caller may overwrite its own; with ``consume`` a local store moves them.
        """
        self._checkpoints.save(stage_id, folder, lease, consume=consume)

    def load_progress(self, stage_id: str) -> Path | None:
        """A local folder (read only) with the stage's last whole checkpoint, or None."""
        return self._checkpoints.load(stage_id)

    def drop_progress(self, stage_id: str) -> None:
        """Deletes the stage's checkpoint, if there is one."""
        self._checkpoints.drop(stage_id)

    # Records: what they hold and how they are named is the matter of stilts/ledger

    def write_record(self, name: str, value: Mapping[str, Json], *, create_only: bool = False) -> bool:
        """Writes a JSON object as a record; with ``create_only`` an existing one stays and False comes back."""
        return self._records.write(name, value, create_only=create_only)

    def read_record(self, name: str) -> dict[str, Json] | None:
        """The record's value, or None where there is none; DamagedError where it is not as it was written."""
        return self._records.value(name)

    def has_record(self, name: str) -> bool:
        """Whether there is such a record, damaged or not."""
        return self._records.exists(name)

    def record_bodies(self, names: Sequence[str]) -> Bodies:
        """The JSON text of those of the records that there are, by name; one round of parallel reads in a bucket."""
        return self._records.bodies(names)

    def records(self, prefix: str) -> Sequence[str]:
        """The names of all records below ``prefix`` (whole path parts), sorted."""
        return self._records.names(prefix)

    def delete_record(self, name: str) -> None:
        """Deletes the record, if there is one."""
        self._records.delete(name)

    # What cleaning up needs (gc.py)

    def orphans(self) -> list[Attempt]:
        """Files of attempts to publish that no artifact names: of killed publishers, or under way (see ``leased``)."""
        return self._artifacts.orphans()

    def drop_attempt(self, attempt: Attempt) -> int:
        """Deletes such an attempt and returns the bytes freed. The caller holds the stage's lease."""
        return self._artifacts.drop_attempt(attempt)

    def progress_sizes(self) -> dict[str, int]:
        """Bytes of all checkpoints by stage id."""
        return self._checkpoints.sizes()

    def lease_states(self) -> list[LeaseState]:
        """Every lease with its holder, held or not."""
        return self._leases.states()

    def drop_lease(self, name: str, generation: int) -> None:
        """Deletes the records of a lease that nobody holds, up to a generation; one taken since stays."""
        self._leases.drop(check_stage(name), generation)

    def litter(self, older_than_s: float) -> list[Entry]:
        """What killed processes left half-written, untouched for so long; paths are relative to ``tmp/``."""
        before = time.time() - older_than_s
        found: dict[str, Entry] = {}
        for entry in self.backend.walk(TEMP):
            name = entry.path.partition("/")[0]
            known = found.get(name, Entry(path=name, bytes=0, modified=0.0))
            if is_temp(name):
                size, last = known.bytes + entry.bytes, max(known.modified, entry.modified)
                found[name] = Entry(path=name, bytes=size, modified=last)
        return sorted((entry for entry in found.values() if entry.modified < before), key=lambda entry: entry.path)

    def drop_litter(self, entries: Sequence[Entry]) -> int:
        """Deletes such files and folders and returns the bytes freed."""
        for entry in entries:
            path = f"{TEMP}/{entry.path}"
            if self.backend.exists(path):
                self.backend.delete(path)
            else:
                self.backend.delete_tree(path)
        return sum(entry.bytes for entry in entries)

    def misplaced(self) -> dict[str, str]:
        """Paths at which a folder lies in place of an object, or something else in place of a folder, and what."""
        return self.backend.misplaced()

    def strays(self) -> list[str]:
        """The paths of what lies in the store under names that stilts does not make: never read, never deleted."""
        return find_strays(self.backend)


def _reopened(open_it: Callable[..., Store], url: str, options: Mapping[str, Any]) -> Store:
    return open_it(url, **options)
