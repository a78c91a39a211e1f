"""Store: the one implementation of ``ArtifactStore``, over a local folder or a bucket. ``open_store`` makes it."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from stilts.errors import StoreError
from stilts.fingerprint import Json
from stilts.store.artifact_store import Lease
from stilts.store.artifacts import Artifacts, Attempt
from stilts.store.backend import Backend, Entry, from_json, to_json
from stilts.store.bucket import BucketBackend, cannot_create
from stilts.store.download import Downloads
from stilts.store.layout import LAYOUT, LAYOUT_VERSION, TEMP, check_stage, check_version
from stilts.store.lease import Leases
from stilts.store.lease_state import LeaseState
from stilts.store.local import LocalBackend
from stilts.store.progress import Progress
from stilts.store.records import Records

# What a file system without hard links answers to a link.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def open_store(
    url: str,
    *,
    scratch_dir: Path | None = None,
    cache_dir: Path | None = None,
    lease_ttl_s: float = 60.0,
    heartbeat_s: float = 5.0,
) -> Store:
    """The store at a local path, a ``file://`` URL or a bucket URL (s3://, gs://, memory://), made where there is none.

    ``scratch_dir`` takes short-lived files (the system's temporary folder), ``cache_dir`` the downloads of a bucket
    (``$XDG_CACHE_HOME/stilts`` or ``~/.cache/stilts``). A lease without a heartbeat for ``lease_ttl_s`` is free.
    Raises StoreError for a store of a newer layout, and for a file system that cannot decide between two writers.
    """
    backend = _backend(str(url))
    _check_layout(backend)
    scratch = scratch_dir or Path(tempfile.gettempdir())
    downloads = Downloads(backend, cache_dir=cache_dir or _default_cache(), scratch_dir=scratch)
    leases = Leases(backend, ttl_s=lease_ttl_s, heartbeat_s=heartbeat_s)
    options = {
        "scratch_dir": scratch_dir,
        "cache_dir": cache_dir,
        "lease_ttl_s": lease_ttl_s,
        "heartbeat_s": heartbeat_s,
    }
    return Store(backend, downloads, leases, scratch=scratch, options=options)


class Store:
    """Artifacts, leases, checkpoints and records of one place. Safe to share among threads; pickles as its URL."""

    def __init__(
        self, backend: Backend, downloads: Downloads, leases: Leases, *, scratch: Path, options: Mapping[str, object]
    ) -> None:
        self.url = backend.url
        self._backend = backend
        self._artifacts = Artifacts(backend, downloads)
        self._progress = Progress(backend, downloads)
        self._records = Records(backend)
        self._leases = leases
        self._scratch = scratch
        self._options = dict(options)

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.url, self._options)

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
        """The result published with the artifact; StoreError when there is none."""
        return cast("dict[str, Json]", self._artifacts.document(key)["result"])

    def results(self, keys: Sequence[str]) -> dict[str, dict[str, Json]]:
        """The results of those keys that are published; one round of parallel reads in a bucket."""
        found = self._artifacts.documents(keys)
        return {key: cast("dict[str, Json]", document["result"]) for key, document in found.items()}

    def payload(self, key: str) -> dict[str, Json]:
        """The identity payload published with the artifact; StoreError when there is none."""
        return cast("dict[str, Json]", self._artifacts.document(key)["payload"])

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
        self._progress.save(stage_id, folder, lease, consume=consume)

    def load_progress(self, stage_id: str) -> Path | None:
        """A local folder (read only) with the stage's last whole checkpoint, or None."""
        return self._progress.load(stage_id)

    def drop_progress(self, stage_id: str) -> None:
        """Deletes the stage's checkpoint, if there is one."""
        self._progress.drop(stage_id)

    # Records

    def write_record(self, name: str, value: Json, *, create_only: bool = False) -> bool:
        """Writes a JSON record; with ``create_only`` an existing one stays and False comes back."""
        return self._records.write(name, value, create_only=create_only)

    def read_record(self, name: str) -> Json:
        """The record's value, or None where there is none."""
        return self._records.read(name)

    def named_records(self, names: Sequence[str]) -> dict[str, Json]:
        """Those of the records that there are, by name; one round of parallel reads in a bucket."""
        return self._records.named(names)

    def read_records(self, prefix: str) -> dict[str, Json]:
        """All records below the prefix by name; one round of parallel reads in a bucket."""
        return self._records.read_many(prefix)

    def records(self, prefix: str) -> Sequence[str]:
        """The names of all records below ``prefix`` (whole path parts), sorted."""
        return self._records.names(prefix)

    def delete_record(self, name: str) -> None:
        """Deletes the record, if there is one."""
        self._records.delete(name)

    # Room to work, and what cleaning up needs (gc.py)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder for files to be published: on the store's own file system where it is local."""
        folder = self._backend.local(f"{TEMP}/{uuid.uuid4().hex}") or self._scratch / f"stilts-{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def orphans(self) -> list[Attempt]:
        """Files of attempts to publish that no artifact names: of killed publishers, or under way (see ``leased``)."""
        return self._artifacts.orphans()

    def drop_attempt(self, attempt: Attempt) -> int:
        """Deletes such an attempt and returns the bytes freed. The caller holds the stage's lease."""
        return self._artifacts.drop_attempt(attempt)

    def progress_sizes(self) -> dict[str, int]:
        """Bytes of all checkpoints by stage id."""
        return self._progress.sizes()

    def lease_states(self) -> list[LeaseState]:
        """Every lease with its holder, held or not."""
        return self._leases.states()

    def drop_lease(self, name: str, generation: int) -> None:
        """Deletes the records of a lease that nobody holds, up to a generation; one taken since stays."""
        self._leases.drop(check_stage(name), generation)

    def litter(self, older_than_s: float) -> list[Entry]:
        """Temporary files of killed processes, last written so long ago; paths are relative to the temporary folder."""
        before = time.time() - older_than_s
        return [entry for entry in self._backend.walk(TEMP) if entry.modified < before]

    def drop_litter(self, entries: Sequence[Entry]) -> int:
        """Deletes such files and returns the bytes freed."""
        for entry in entries:
            self._backend.delete(f"{TEMP}/{entry.path}")
        return sum(entry.bytes for entry in entries)


def _reopen(url: str, options: dict[str, object]) -> Store:
    return open_store(url, **options)  # type: ignore[arg-type]


def _backend(url: str) -> Backend:
    protocol, separator, path = url.partition("://")
    if not separator or protocol in ("file", "local"):
        return _local(url, Path(unquote(path) if separator else url).expanduser().absolute())
    if "::" in url:
        raise StoreError(
            f"open the store {url}",
            "it is a chain of file systems",
            "",
            "Name the bucket itself, like s3://bucket/path",
        )
    return BucketBackend(url)


def _local(url: str, root: Path) -> LocalBackend:
    try:
        return LocalBackend(root)
    except OSError as error:
        raise _unusable(url, error) from error


def _check_layout(backend: Backend) -> None:
    """Makes or checks the LAYOUT record; a second, refused creation of it proves that this place can refuse."""
    fresh: dict[str, Json] = {"version": LAYOUT_VERSION, "id": uuid.uuid4().hex}
    try:
        if backend.read(LAYOUT) is None:
            backend.create(LAYOUT, to_json(LAYOUT, fresh))
        check_version(backend.url, _version(backend))
        if backend.create(LAYOUT, to_json(LAYOUT, {**fresh, "id": uuid.uuid4().hex})):
            raise cannot_create(backend.url)
    except OSError as error:
        raise (cannot_create(backend.url) if error.errno in _NO_LINKS else _unusable(backend.url, error)) from error


def _version(backend: Backend) -> Json:
    value = from_json(f"the LAYOUT of the store {backend.url}", backend.read(LAYOUT) or b"null")
    return value.get("version") if isinstance(value, dict) else None


def _unusable(url: str, error: OSError) -> StoreError:
    return StoreError(
        f"open the store {url}",
        error.strerror or str(error),
        "Results are written there",
        "Name a folder that you can write to",
    )


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "stilts" / "store"
