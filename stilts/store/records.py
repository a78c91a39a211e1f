"""Records: small JSON objects by name, such as studies, proposals and failures. Each is written whole or not at all.

What they hold, and how they are named, is the matter of ``stilts/ledger``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stilts.fingerprint import Json
from stilts.store.backend import Backend
from stilts.store.documents import Bodies, Documents
from stilts.store.layout import RECORDS, check_record, is_record, record_path

_SUFFIX = ".json"


class Records:
    """The records of a store."""

    def __init__(self, backend: Backend, documents: Documents) -> None:
        self._backend = backend
        self._documents = documents

    def write(self, name: str, value: Mapping[str, Json], *, create_only: bool) -> bool:
        """Writes the record; with ``create_only`` one that is there stays, and False comes back."""
        path = record_path(check_record(name))
        if create_only:
            return self._documents.create(path, value)
        self._documents.replace(path, value)
        return True

    def body(self, name: str) -> bytes | None:
        """The record's JSON text, or None where there is none; DamagedError where it is not as it was written."""
        return self._documents.body(record_path(check_record(name)))

    def value(self, name: str) -> dict[str, Json] | None:
        """The record's value, or None where there is none; DamagedError where it is not as it was written."""
        return self._documents.value(record_path(check_record(name)))

    def exists(self, name: str) -> bool:
        """Whether there is such a record, damaged or not."""
        return self._backend.exists(record_path(check_record(name)))

    def names(self, prefix: str) -> list[str]:
        """The names of all records below the prefix (whole path parts), sorted; all for an empty one."""
        inside = prefix.strip("/")
        base = f"{RECORDS}/{check_record(inside)}" if inside else RECORDS
        found = (name.removesuffix(_SUFFIX) for name in self._backend.names(base) if name.endswith(_SUFFIX))
        named = (f"{inside}/{name}" if inside else name for name in found)
        return sorted(filter(is_record, named))

    def bodies(self, names: Sequence[str]) -> Bodies:
        """The JSON text of those of the records that there are, by name; read side by side in a bucket."""
        paths = {record_path(check_record(name)): name for name in names}
        found = self._documents.bodies(list(paths))
        return Bodies(
            good={paths[path]: body for path, body in found.good.items()},
            damaged={paths[path]: error for path, error in found.damaged.items()},
        )

    def delete(self, name: str) -> None:
        """Deletes the record, if there is one."""
        self._backend.delete(record_path(check_record(name)))
