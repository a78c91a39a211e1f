"""What the store holds of a study, read once and typed.

Published results never change, so a ``StoredStudy`` that is kept remembers them: a sync in the middle of a
study reads only what is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stilts.fingerprint import Json
from stilts.ledger.records import DECISIONS, FAILURES, PRUNED, STOPPED
from stilts.ledger.results import typed_result
from stilts.ledger.typed import to_fields
from stilts.store.artifact_store import ArtifactStore


@dataclass(slots=True)
class StoredStudy:
    """The results, failures and prunings of one study as the store held them at the last ``refresh``.

    ``ended_itself``: its policy or its budget wants nothing more, though its matrix may have gaps.
    """

    store: ArtifactStore
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
        failures, pruned = FAILURES.all(self.store), PRUNED.all(self.store, self.study)
        self.failures = {stage: to_fields(value) for stage, value in failures.values.items()}
        self.pruned = {stage: to_fields(value) for stage, value in pruned.values.items()}
        self.ended_itself = self._has_ended_itself()
        return self

    def result(self, key: str) -> Mapping[str, Json]:
        """The result of an artifact that is done."""
        if key not in self._results:
            fields = self.store.result(key)
            typed_result(key, fields)  # or a DamagedError
            self._results[key] = fields
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
        if STOPPED.exists(self.store, self.study):
            return True
        decided = DECISIONS.own_names(self.store, self.study)
        last = DECISIONS.known(self.store, self.study, decided[-1]) if decided else None
        return last is not None and last.kind == "stop"


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
