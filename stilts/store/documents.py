"""Documents: the sealed JSON objects of a store, written and read as bytes that agree with their seal.

What does not agree, or is no file at all, is a ``DamagedError`` of that file alone: reading many gives the good ones
and the damaged ones apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stilts.errors import DamagedError
from stilts.fingerprint import Json
from stilts.store.backend import Backend
from stilts.store.layout import most_bytes
from stilts.store.seal import parse, seal, unseal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """What was read: JSON text by path, and what is wrong with the files that are damaged, by path."""

    good: Mapping[str, bytes] = field(default_factory=dict)
    damaged: Mapping[str, DamagedError] = field(default_factory=dict)


class Documents:
    """The sealed objects behind a backend. ``required``: whether every one must have a seal (layout 2 on)."""

    def __init__(self, backend: Backend, *, required: bool) -> None:
        self._backend = backend
        self.required = required

    def create(self, path: str, value: Mapping[str, Json]) -> bool:
        """Writes a new object; False where another is there. True also where a lost reply made the request repeat."""
        return self.create_sealed(path, seal(path, value))

    def create_sealed(self, path: str, data: bytes) -> bool:
        """The same of an object that was sealed for the path before."""
        return self._backend.create(path, data) or self._backend.read(path) == data

    def replace(self, path: str, value: Mapping[str, Json]) -> None:
        """Writes an object over any that is there."""
        self._backend.replace(path, seal(path, value))

    def body(self, path: str) -> bytes | None:
        """The object's JSON text, None where there is none; DamagedError where it is not as it was written."""
        data = self._backend.read(path)
        return None if data is None else self.unsealed(path, data)

    def bodies(self, paths: Sequence[str]) -> Bodies:
        """The JSON text of those objects that there are; read side by side in a bucket."""
        good: dict[str, bytes] = {}
        damaged: dict[str, DamagedError] = {}
        for path, data in self._read(paths, damaged).items():
            try:
                good[path] = self.unsealed(path, data)
            except DamagedError as error:
                damaged[path] = error
        return Bodies(good=good, damaged=damaged)

    def value(self, path: str) -> dict[str, Json] | None:
        """The object, None where there is none; DamagedError where it is not as it was written."""
        body = self.body(path)
        return None if body is None else parse(path, body)

    def unsealed(self, path: str, data: bytes) -> bytes:
        """The JSON text of an object's bytes; DamagedError where they are too many, or do not agree with their seal."""
        if len(data) > most_bytes(path):
            raise DamagedError(path, f"it has {len(data)} bytes, more than the {most_bytes(path)} of any such file")
        return unseal(path, data, required=self.required)

    def _read(self, paths: Sequence[str], damaged: dict[str, DamagedError]) -> dict[str, bytes]:
        if self._backend.remote:
            return self._backend.read_many(paths)
        found: dict[str, bytes] = {}
        for path in paths:
            try:
                data = self._backend.read(path)
            except DamagedError as error:
                damaged[path] = error
                continue
            if data is not None:
                found[path] = data
        return found
