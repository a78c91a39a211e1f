"""Published: what a ``done.json`` says, typed and checked: the attempt, its files, payload and result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.errors import DamagedError, StoreError
from stilts.fingerprint import Json
from stilts.store.content import FileFact
from stilts.store.layout import is_token
from stilts.store.seal import parse

_LAST_MOMENT = 1e15  # in Unix seconds: 30 million years


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One publication: the token of its attempt, when (unix seconds), its files, its identity payload, its result."""

    attempt: str
    published: float
    files: tuple[FileFact, ...]
    payload: Mapping[str, Json]
    result: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        """The fields as plain JSON."""
        return {
            "attempt": self.attempt,
            "published": self.published,
            "files": [fact.as_json() for fact in self.files],
            "payload": dict(self.payload),
            "result": dict(self.result),
        }

    @classmethod
    def parse(cls, path: str, body: bytes) -> Published:
        """The publication that ``as_json`` wrote; DamagedError for anything else."""
        fields = parse(path, body)
        attempt, payload, result, files = (fields.get(name) for name in ("attempt", "payload", "result", "files"))
        published = fields.get("published")
        if not isinstance(attempt, str) or not is_token(attempt):
            raise DamagedError(path, "it names no attempt to publish")
        if not isinstance(payload, dict) or not isinstance(result, dict) or not isinstance(files, list) or not files:
            raise DamagedError(path, "payload, result or list of files is missing")
        # Compared, not converted: 10**400 is a JSON number too. NaN is within no bounds.
        if not isinstance(published, int | float) or not 0 <= published <= _LAST_MOMENT:
            raise DamagedError(path, "it does not say when it was published")
        try:
            facts = tuple(map(FileFact.parse, files))
        except StoreError as error:
            raise DamagedError(path, str(error.found)) from error
        return cls(attempt=attempt, published=float(published), files=facts, payload=payload, result=result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publications:
    """What was read of publications: those that are as they were written, and what is wrong with others, by key."""

    good: Mapping[str, Published]
    damaged: Mapping[str, DamagedError]
