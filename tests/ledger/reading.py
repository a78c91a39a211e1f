"""What a fake store needs to be read as a ledger: results, payloads and records in dicts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from stilts.errors import DamagedError
from stilts.fingerprint import Json
from stilts.ledger.typed import from_fields, to_fields
from stilts.store.content import FileFact
from stilts.store.documents import Bodies
from stilts.store.published import Publications, Published
from stilts.study.record import StudyRecord

_FILES = (FileFact(path="file", bytes=1, sha256="sha256:" + "0" * 64),)


class ReadFromDicts:
    """The reading half of an ArtifactStore over dicts; a record that is no JSON object counts as damaged."""

    def published(self) -> Mapping[str, tuple[Mapping[str, Json], Mapping[str, Json]]]:
        """Payload and result by key."""
        raise NotImplementedError

    def noted(self) -> Mapping[str, Json]:
        """The records by name."""
        raise NotImplementedError

    def publications(self, keys: Sequence[str]) -> Publications:
        there = self.published()
        good = {
            key: Published(
                attempt="attempt-" + "0" * 16, published=0.0, files=_FILES, payload=there[key][0], result=there[key][1]
            )
            for key in keys
            if key in there
        }
        return Publications(good=good, damaged={})

    def record_bodies(self, names: Sequence[str]) -> Bodies:
        there = {name: self.noted()[name] for name in names if name in self.noted()}
        good = {name: json.dumps(value).encode() for name, value in there.items() if isinstance(value, dict)}
        return Bodies(
            good=good,
            damaged={name: DamagedError(f"records/{name}.json", "no object") for name in there.keys() - good.keys()},
        )

    def has_record(self, name: str) -> bool:
        return name in self.noted()

    def records(self, prefix: str) -> Sequence[str]:
        return sorted(name for name in self.noted() if name.startswith(prefix.rstrip("/") + "/"))


def record_to_json(record: StudyRecord) -> dict[str, Json]:
    """A study's record as a store has it."""
    return to_fields(record)


def record_from_json(fields: Mapping[str, Json]) -> StudyRecord:
    """The record of a store's fields."""
    return from_fields(StudyRecord, "records/studies/any/record.json", fields)
