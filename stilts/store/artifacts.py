"""Artifacts: publishing under a key, once and whole, and reading back what was published.

Only ``done.json`` makes a key done. It is created last, after all files lie in a folder of this attempt alone, and it
names that folder; so a reader sees all or nothing, and of two publishers the first wins. When the files of a done
key were dropped, publishing again brings files back (``done.1.json``); payload and result stay those of the first time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stilts.errors import DamagedError, LeaseLostError, StoreError
from stilts.fingerprint import Json
from stilts.store.artifact_store import Lease
from stilts.store.backend import Backend
from stilts.store.content import FileFact, facts_of, first_flaw
from stilts.store.documents import Documents
from stilts.store.download import Downloads
from stilts.store.layout import (
    FILES,
    STAGES,
    attempt_path,
    check_key,
    done_path,
    gone_path,
    is_key,
    new_token,
    parse_state,
    split_attempt,
)
from stilts.store.published import Publications, Published
from stilts.store.seal import seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which time a key was published, counted from 0, and whether those files were dropped."""

    generation: int
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The files of one attempt to publish: the key, the attempt's token and the bytes it takes."""

    key: str
    token: str
    bytes: int


class Artifacts:
    """All artifacts of a store."""

    def __init__(self, backend: Backend, documents: Documents, downloads: Downloads) -> None:
        self._backend = backend
        self._documents = documents
        self._downloads = downloads
        self._kept: dict[str, bytes] = {}  # objects that never change, kept where reading is slow

    def versions(self) -> dict[str, Version]:
        """What is published, by key: one listing. Names that stilts does not make are passed over."""
        versions = ((key, _version(names)) for key, names in self.names().items())
        return {key: version for key, version in versions if version is not None}

    def names(self) -> dict[str, list[str]]:
        """The names of the objects of every key: one listing. Names that stilts does not make are passed over."""
        found: dict[str, list[str]] = {}
        for path in self._backend.names(STAGES):
            key, _, name = path.rpartition("/")
            if is_key(key) and parse_state(name) is not None:
                found.setdefault(key, []).append(name)
        return found

    def version(self, key: str) -> Version | None:
        """What is published under the key, or None."""
        return _version(self._backend.children(f"{STAGES}/{check_key(key)}"))

    def is_done(self, key: str) -> bool:
        """Whether the key was ever published."""
        path = done_path(check_key(key))
        return path in self._kept or self._backend.exists(path)

    def publish(
        self, key: str, folder: Path, *, payload: Mapping[str, Json], result: Mapping[str, Json], lease: Lease
    ) -> None:
        """Publishes every file of the folder; see ``ArtifactStore.publish``."""
        _check_lease(check_key(key), lease)
        version = self.version(key)
        if version is not None and not version.gone:
            return
        generation = 0 if version is None else version.generation + 1
        facts, token = facts_of(folder), new_token()
        done = Published(attempt=token, published=time.time(), files=facts, payload=payload, result=result)
        # Before anything is copied, so that a result which is not JSON fails early.
        data = seal(done_path(key, generation), done.as_json())
        attempt = attempt_path(key, token)
        won = False
        try:
            self._backend.put(folder, [fact.path for fact in facts], attempt, keep=True, alias=True)
            lease.check()
            won = self._documents.create_sealed(done_path(key, generation), data)
        finally:
            if not won:
                self._backend.delete_tree(attempt)
        self._confirm(key, generation, token, facts)

    def published(self, key: str) -> Published:
        """The first publication: payload, result; StoreError when the key is not published, DamagedError if damaged."""
        return self._published(check_key(key), 0)

    def publications(self, keys: Sequence[str]) -> Publications:
        """The first publications of those keys that are published; read side by side in a bucket."""
        return self._many({key: 0 for key in keys})

    def files(self, key: str) -> tuple[FileFact, ...]:
        """The files of the latest publication; StoreError when there is none."""
        version = self.version(key)
        return self._published(key, 0 if version is None else version.generation).files

    def fetch(self, key: str) -> Path:
        """A local folder with the files as published; StoreError when they are gone, DamagedError when altered."""
        version = self.version(key)
        if version is None:
            raise _not_published(key)
        if version.gone:
            raise self._dropped(key, version.generation)
        published = self._published(key, version.generation)
        place = attempt_path(key, published.attempt)
        folder = self._backend.local(place) or self._downloads.artifact(place, published.files)
        flaw = first_flaw(folder, published.files)
        if flaw is not None:
            raise DamagedError(place, flaw)
        return folder

    def drop_files(self, key: str, why: str) -> int:
        """Deletes the files and returns the bytes freed (0 when they were gone). The mark comes first."""
        version = self.version(key)
        if version is None:
            raise _not_published(key)
        published = self._published(key, version.generation)
        mark: dict[str, Json] = {"why": why, "time": time.time()}
        if version.gone or not self._documents.create(gone_path(key, version.generation), mark):
            return 0
        self._backend.delete_tree(attempt_path(key, published.attempt))
        return sum(fact.bytes for fact in published.files)

    def mark_gone(self, key: str, why: str) -> None:
        """Says that the files of the latest publication are no longer there, without deleting anything."""
        version = self.version(key)
        if version is not None:
            self._documents.create(gone_path(key, version.generation), {"why": why, "time": time.time()})

    def orphans(self) -> list[Attempt]:
        """Attempts that no live publication names: of killed publishers, or under way now, which a lease tells.

        Where a publication cannot be read, nothing of its key is taken for an orphan.
        """
        sizes: dict[tuple[str, str], int] = {}
        for entry in self._backend.walk(FILES):
            attempt = split_attempt(entry.path)
            if attempt is not None and entry.path != "/".join(attempt):  # a link in an attempt's place is a stray
                sizes[attempt] = sizes.get(attempt, 0) + entry.bytes
        found = self._many({key: v.generation for key, v in self.versions().items() if not v.gone})
        named = {key: published.attempt for key, published in found.good.items()}
        return [
            Attempt(key=k, token=t, bytes=n)
            for (k, t), n in sorted(sizes.items())
            if named.get(k) != t and k not in found.damaged
        ]

    def drop_attempt(self, attempt: Attempt) -> int:
        """Deletes an attempt's files and returns the bytes freed; 0 where it was published since it was listed.

        The caller holds the stage's lease, so that nobody publishes meanwhile.
        """
        version = self.version(attempt.key)
        live = version is not None and not version.gone
        if live and version is not None and self._published(attempt.key, version.generation).attempt == attempt.token:
            return 0
        self._backend.delete_tree(attempt_path(attempt.key, attempt.token))
        return attempt.bytes

    def _confirm(self, key: str, generation: int, token: str, facts: Iterable[FileFact]) -> None:
        """If this process slept between its last look at the lease and the publication, gc may have taken its files."""
        if self._published(key, generation).attempt != token:
            return
        present = set(self._backend.names(attempt_path(key, token)))
        if not present.issuperset(fact.path for fact in facts):
            self.drop_files(key, "deleted while their publisher did not respond")
            raise LeaseLostError(f"publish {key}", "its files were cleaned up while this process did not respond")

    def _published(self, key: str, generation: int) -> Published:
        found = self._many({key: generation})
        if key in found.damaged:
            raise found.damaged[key]
        if key not in found.good:
            raise _not_published(key)
        return found.good[key]

    def _many(self, generations: Mapping[str, int]) -> Publications:
        paths = {done_path(check_key(key), generation): key for key, generation in generations.items()}
        missing = [path for path in paths if path not in self._kept]
        read = self._documents.bodies(missing)
        if self._backend.remote:
            self._kept.update(read.good)
        damaged = {paths[path]: error for path, error in read.damaged.items()}
        good: dict[str, Published] = {}
        for path, body in {**read.good, **{path: self._kept[path] for path in paths if path in self._kept}}.items():
            try:
                good[paths[path]] = Published.parse(path, body)
            except DamagedError as error:
                damaged[paths[path]] = error
        return Publications(good=good, damaged=damaged)

    def _dropped(self, key: str, generation: int) -> StoreError:
        try:
            why = (self._documents.value(gone_path(key, generation)) or {}).get("why", "")
        except DamagedError:
            why = "the mark that says why is damaged"
        return StoreError(
            f"files of {key}",
            f"they were dropped ({why})",
            "Its result is kept",
            "Run the study again to make them anew",
        )


def _version(names: Iterable[str]) -> Version | None:
    states = [state for state in map(parse_state, names) if state is not None]
    generations = [generation for word, generation in states if word == "done"]
    if not generations:
        return None
    return Version(generation=max(generations), gone=("gone", max(generations)) in states)


def _check_lease(key: str, lease: Lease) -> None:
    if key.partition("/")[0] != lease.name:
        raise StoreError(
            f"publish {key}",
            f"the lease is of {lease.name}",
            "Cleaning up relies on the lease of the stage that the key begins with",
            "Take the lease of that stage",
        )


def _not_published(key: str) -> StoreError:
    return StoreError(
        f"artifact {key}", "it is not published in this store", "", "Run the study that makes it: stilts run STUDY"
    )
