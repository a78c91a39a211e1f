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

from stilts.errors import LeaseLostError, StoreError
from stilts.fingerprint import Json
from stilts.store.artifact_store import Lease
from stilts.store.backend import Backend, from_json, to_json
from stilts.store.content import FileFact, facts_of, first_flaw
from stilts.store.download import Downloads
from stilts.store.layout import (
    FILES,
    STAGES,
    attempt_path,
    check_key,
    done_path,
    gone_path,
    is_token,
    new_token,
    parse_state,
)


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

    def __init__(self, backend: Backend, downloads: Downloads) -> None:
        self._backend = backend
        self._downloads = downloads
        self._kept: dict[str, bytes] = {}  # objects that never change, kept where reading is slow

    def versions(self) -> dict[str, Version]:
        """What is published, by key: one listing."""
        found: dict[str, list[str]] = {}
        for path in self._backend.names(STAGES):
            key, _, name = path.rpartition("/")
            found.setdefault(key, []).append(name)
        versions = ((key, _version(names)) for key, names in found.items())
        return {key: version for key, version in versions if version is not None}

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
        # Written before anything is copied, so that a result which is not JSON fails early.
        done: dict[str, Json] = {
            "attempt": token,
            "published": time.time(),
            "files": [fact.as_json() for fact in facts],
        }
        data = to_json(f"artifact {key}", {**done, "payload": dict(payload), "result": dict(result)})
        attempt = attempt_path(key, token)
        won = False
        try:
            self._backend.put(folder, [fact.path for fact in facts], attempt, keep=True, alias=True)
            lease.check()
            won = self._create(done_path(key, generation), data)
        finally:
            if not won:
                self._backend.delete_tree(attempt)
        self._confirm(key, generation, token, facts)

    def document(self, key: str) -> dict[str, Json]:
        """The first ``done.json``: payload, result, files; StoreError when the key is not published."""
        return self._document(check_key(key), 0)

    def documents(self, keys: Sequence[str]) -> dict[str, dict[str, Json]]:
        """The first ``done.json`` of those keys that are published; read side by side in a bucket."""
        paths = {key: done_path(check_key(key)) for key in keys}
        found = self._read_many(list(paths.values()))
        return {key: _object(key, found[path]) for key, path in paths.items() if path in found}

    def files(self, key: str) -> tuple[FileFact, ...]:
        """The files of the latest publication; StoreError when there is none."""
        version = self.version(key)
        return _facts(self._document(key, 0 if version is None else version.generation))

    def fetch(self, key: str) -> Path:
        """A local folder with the files, each as it was published; StoreError when they are not."""
        version = self.version(key)
        if version is None:
            raise _not_published(key)
        if version.gone:
            raise self._dropped(key, version.generation)
        document = self._document(key, version.generation)
        place, facts = attempt_path(key, str(document["attempt"])), _facts(document)
        folder = self._backend.local(place) or self._downloads.artifact(place, facts)
        flaw = first_flaw(folder, facts)
        if flaw is not None:
            raise StoreError(
                f"files of {key}",
                f"{flaw} in {folder}",
                "A score from altered weights would be wrong",
                f'Give them up with open_store(...).drop_files("{key}", "damaged"), then run the study again',
            )
        return folder

    def drop_files(self, key: str, why: str) -> int:
        """Deletes the files and returns the bytes freed (0 when they were gone). The mark comes first."""
        version = self.version(key)
        if version is None:
            raise _not_published(key)
        document = self._document(key, version.generation)
        mark = to_json(f"mark {key} as gone", {"why": why, "time": time.time()})
        if version.gone or not self._create(gone_path(key, version.generation), mark):
            return 0
        self._backend.delete_tree(attempt_path(key, str(document["attempt"])))
        return sum(fact.bytes for fact in _facts(document))

    def orphans(self) -> list[Attempt]:
        """Attempts that no live publication names: of killed publishers, or under way now, which a lease tells."""
        sizes: dict[tuple[str, str], int] = {}
        for entry in self._backend.walk(FILES):
            key, token = _split_attempt(entry.path)
            sizes[key, token] = sizes.get((key, token), 0) + entry.bytes
        named = self._tokens({key: version.generation for key, version in self.versions().items() if not version.gone})
        return [Attempt(key=k, token=t, bytes=n) for (k, t), n in sorted(sizes.items()) if named.get(k) != t]

    def drop_attempt(self, attempt: Attempt) -> int:
        """Deletes an attempt's files and returns the bytes freed; 0 where it was published since it was listed.

        The caller holds the stage's lease, so that nobody publishes meanwhile.
        """
        version = self.version(attempt.key)
        generations = {} if version is None or version.gone else {attempt.key: version.generation}
        if self._tokens(generations).get(attempt.key) == attempt.token:
            return 0
        self._backend.delete_tree(attempt_path(attempt.key, attempt.token))
        return attempt.bytes

    def _tokens(self, generations: Mapping[str, int]) -> dict[str, str]:
        paths = {key: done_path(key, generation) for key, generation in generations.items()}
        found = self._read_many(list(paths.values()))
        return {key: str(_object(key, found[path])["attempt"]) for key, path in paths.items() if path in found}

    def _create(self, path: str, data: bytes) -> bool:
        """As the backend's, but right also when a reply was lost and the request repeated: the data are unique."""
        return self._backend.create(path, data) or self._backend.read(path) == data

    def _confirm(self, key: str, generation: int, token: str, facts: Iterable[FileFact]) -> None:
        """If this process slept between its last look at the lease and the publication, gc may have taken its files."""
        document = self._document(key, generation)
        if document["attempt"] != token:
            return
        present = set(self._backend.names(attempt_path(key, token)))
        if not present.issuperset(fact.path for fact in facts):
            self.drop_files(key, "deleted while their publisher did not respond")
            raise LeaseLostError(f"publish {key}", "its files were cleaned up while this process did not respond")

    def _document(self, key: str, generation: int) -> dict[str, Json]:
        data = self._read_many([done_path(key, generation)])
        if not data:
            raise _not_published(key)
        return _object(key, next(iter(data.values())))

    def _read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        if not self._backend.remote:
            return self._backend.read_many(paths)
        self._kept.update(self._backend.read_many([path for path in paths if path not in self._kept]))
        return {path: self._kept[path] for path in paths if path in self._kept}

    def _dropped(self, key: str, generation: int) -> StoreError:
        data = self._backend.read(gone_path(key, generation)) or b"{}"
        why = _object(key, data).get("why", "")
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


def _split_attempt(path: str) -> tuple[str, str]:
    """The key and token of ``<key>/<token>/<file>``; a key holds at most one slash."""
    parts = path.split("/")
    depth = 1 if len(parts) > 2 and is_token(parts[1]) else 2
    return "/".join(parts[:depth]), parts[depth] if len(parts) > depth else ""


def _facts(document: Mapping[str, Json]) -> tuple[FileFact, ...]:
    files = document.get("files")
    return tuple(FileFact.parse(value) for value in (files if isinstance(files, list) else []))


def _object(key: str, data: bytes) -> dict[str, Json]:
    value = from_json(f"artifact {key}", data)
    if not isinstance(value, dict):
        raise StoreError(f"read artifact {key}", "its record is not a JSON object", "The store is damaged there")
    return value


def _not_published(key: str) -> StoreError:
    return StoreError(
        f"artifact {key}", "it is not published in this store", "", "Run the study that makes it: stilts run STUDY"
    )
