"""What the store holds of a study, read once and typed.

Published results never change, so a ``StoredStudy`` that is kept remembers them: a sync in the middle of a
study reads only what is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stilts.fingerprint import Json


class ResultStore(Protocol):
    """The part of an ArtifactStore that a view reads."""

    def done(self) -> frozenset[str]:
        """The keys of all published artifacts."""

    def result(self, key: str) -> dict[str, Json]:
        """The result published with the artifact."""

    def payload(self, key: str) -> dict[str, Json]:
        """The identity payload published with the artifact."""

    def read_record(self, name: str) -> Json:
        """The record's value, or None where there is none."""

    def records(self, prefix: str) -> Sequence[str]:
        """The names of all records below ``prefix``."""


@dataclass(slots=True)
class StoredStudy:
    """The results, failures and prunings of one study as the store held them at the last ``refresh``.

    ``ended_itself``: its policy or its budget wants nothing more, though its matrix may have gaps.
    """

    store: ResultStore
    study: str
    done: frozenset[str] = frozenset()
    failures: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    pruned: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    ended_itself: bool = False
    _results: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    _payloads: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    _views: dict[str, Mapping[str, Json]] = field(default_factory=dict)

    def refresh(self) -> StoredStudy:
        """Itself, with everything that may have changed read again."""
        self.done = self.store.done()
        self.failures = self._read_all("failures/")
        self.pruned = self._read_all(f"studies/{self.study}/pruned/")
        self.ended_itself = self._has_ended_itself()
        return self

    def result(self, key: str) -> Mapping[str, Json]:
        """The result of an artifact that is done."""
        if key not in self._results:
            self._results[key] = self.store.result(key)
        return self._results[key]

    def payload(self, key: str) -> Mapping[str, Json]:
        """The identity payload of an artifact that is done."""
        if key not in self._payloads:
            self._payloads[key] = self.store.payload(key)
        return self._payloads[key]

    def views(self, keys: Mapping[str, str]) -> dict[str, Mapping[str, Json]]:
        """By language, the data that outputs were scored on; ``keys`` are one use's outputs, all done.

        A key ends with the view's own digest, so one replicate's payload tells the view of all.
        """
        found = {}
        for language, key in keys.items():
            name = key.rpartition("/")[2]
            if name not in self._views:
                self._views[name] = mapping(self.payload(key).get("view"))
            found[language] = self._views[name]
        return found

    def _has_ended_itself(self) -> bool:
        decided = self.store.records(f"studies/{self.study}/decisions")
        last = self.store.read_record(max(decided)) if decided else None
        out_of_budget = self.store.read_record(f"studies/{self.study}/stopped") is not None
        return out_of_budget or mapping(last).get("kind") == "stop"

    def _read_all(self, prefix: str) -> dict[str, Mapping[str, Json]]:
        # A record may be deleted between the listing and the reading (a stage that now succeeded).
        names = sorted(name for name in self.store.records(prefix.rstrip("/")) if name.startswith(prefix))
        values = {name[len(prefix) :]: self.store.read_record(name) for name in names}
        return {stage: value for stage, value in values.items() if isinstance(value, dict)}


def number(value: Json | None, default: float = 0.0) -> float:
    """The value as a float; ``default`` where it is absent."""
    return float(value) if isinstance(value, int | float) else default


def text(value: Json | None) -> str:
    """The value as MLflow shows it: text as it is, numbers as Python writes them, nothing as "none"."""
    return "none" if value is None else str(value)


def mapping(value: Json | None) -> Mapping[str, Json]:
    """The value as a mapping; empty where it is absent."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json | None) -> list[Json]:
    """The value as a list; empty where it is absent."""
    return value if isinstance(value, list) else []
