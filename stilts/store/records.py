"""Records: small JSON values by name, such as studies, proposals and failures. Each is written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.fingerprint import Json
from stilts.store.backend import Backend, from_json, to_json
from stilts.store.layout import RECORDS, check_record, record_path

_SUFFIX = ".json"


class Records:
    """The records of a store."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def write(self, name: str, value: Json, *, create_only: bool) -> bool:
        """Writes the record; with ``create_only`` one that is there stays, and False comes back."""
        path, data = record_path(check_record(name)), to_json(f"record {name}", value)
        if create_only:
            return self._backend.create(path, data)
        self._backend.replace(path, data)
        return True

    def read(self, name: str) -> Json:
        """The record's value, or None where there is none."""
        data = self._backend.read(record_path(check_record(name)))
        return None if data is None else from_json(f"record {name}", data)

    def names(self, prefix: str) -> list[str]:
        """The names of all records below the prefix (whole path parts), sorted; all for an empty one."""
        inside = prefix.strip("/")
        base = f"{RECORDS}/{check_record(inside)}" if inside else RECORDS
        found = (name.removesuffix(_SUFFIX) for name in self._backend.names(base) if name.endswith(_SUFFIX))
        return sorted(f"{inside}/{name}" if inside else name for name in found)

    def read_many(self, prefix: str) -> dict[str, Json]:
        """All records below the prefix by name; read side by side in a bucket."""
        return self.named(self.names(prefix))

    def named(self, names: Sequence[str]) -> dict[str, Json]:
        """Those of the records that there are, by name; read side by side in a bucket."""
        paths = {record_path(check_record(name)): name for name in names}
        found = self._backend.read_many(list(paths))
        return {paths[path]: from_json(f"record {paths[path]}", data) for path, data in found.items()}

    def delete(self, name: str) -> None:
        """Deletes the record, if there is one."""
        self._backend.delete(record_path(check_record(name)))
