"""ArtifactStore: the contract of the place where results live. The store is the truth; all else is a view.

Every implementation passes ``tests/contracts/store_contract.py``. An artifact is published under a key (a stage
id, or ``<stage id>/<use>.<language>-<hash>``), once and whole: readers see all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from stilts.fingerprint import Json
from stilts.store.documents import Bodies
from stilts.store.published import Publications


class Lease(Protocol):
    """The right to work on one stage, held by one process, kept alive by a heartbeat while the context is open."""

    name: str
    token: str

    def check(self) -> None:
        """Raises LeaseLostError when another process has taken the lease over."""

    def __enter__(self) -> Lease:
        """Starts the heartbeat."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the heartbeat and gives the lease back."""


class ArtifactStore(Protocol):
    """Artifacts by key, leases and checkpoints by stage id, small JSON records by name."""

    url: str

    def done(self) -> frozenset[str]:
        """The keys of all published artifacts."""

    def is_done(self, key: str) -> bool:
        """Whether the artifact is published (its files may be gone since: see ``gone``)."""

    def publish(
        self, key: str, folder: Path, *, payload: Mapping[str, Json], result: Mapping[str, Json], lease: Lease
    ) -> None:
        """Publishes every file of ``folder`` with the identity payload and the result, atomically.

        Checks the lease last. A key that is published already stays as it is (the first one wins).
        """

    def result(self, key: str) -> dict[str, Json]:
        """The result published with the artifact; StoreError when there is none, DamagedError where it is damaged."""

    def publications(self, keys: Sequence[str]) -> Publications:
        """What was published of those keys, and which of them are damaged; read side by side in a bucket."""

    def payload(self, key: str) -> dict[str, Json]:
        """The identity payload published with the artifact; StoreError when there is none."""

    def fetch(self, key: str) -> Path:
        """A local folder with the artifact's files (read only); StoreError when they are gone or missing."""

    def sizes(self, key: str) -> dict[str, int]:
        """Bytes of each file that the artifact was published with."""

    def gone(self, key: str) -> bool:
        """Whether the artifact is done but its files were dropped."""

    def gone_keys(self) -> frozenset[str]:
        """The keys of all artifacts that are done but whose files were dropped."""

    def drop_files(self, key: str, why: str) -> int:
        """Deletes the artifact's files, keeps payload and result, and returns the bytes freed."""

    def lease(self, name: str) -> Lease:
        """Takes the lease of a stage; LeaseHeldError while another live process holds it."""

    def leased(self) -> frozenset[str]:
        """The names of all leases held by live processes."""

    def save_progress(self, stage_id: str, folder: Path, lease: Lease, *, consume: bool = False) -> None:
        """Replaces the stage's checkpoint by the files of ``folder``, atomically; ``consume`` may move them."""

    def load_progress(self, stage_id: str) -> Path | None:
        """A local folder with the stage's last whole checkpoint, or None."""

    def drop_progress(self, stage_id: str) -> None:
        """Deletes the stage's checkpoint, if there is one."""

    def write_record(self, name: str, value: Mapping[str, Json], *, create_only: bool = False) -> bool:
        """Writes a JSON object as a record; with ``create_only`` an existing one stays and False comes back."""

    def read_record(self, name: str) -> dict[str, Json] | None:
        """The record's value, or None where there is none; DamagedError where it is not as it was written."""

    def has_record(self, name: str) -> bool:
        """Whether there is such a record, damaged or not."""

    def record_bodies(self, names: Sequence[str]) -> Bodies:
        """The JSON text of those of the records that there are, by name; read side by side in a bucket."""

    def records(self, prefix: str) -> Sequence[str]:
        """The names of all records below ``prefix``, sorted."""

    def delete_record(self, name: str) -> None:
        """Deletes the record, if there is one."""
