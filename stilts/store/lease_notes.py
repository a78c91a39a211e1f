"""LeaseNotes: a small file in the temporary folder, by which the processes of a machine share what they saw of leases.

A worker process may live for one try, and a command for one look: a lease that all of them saw unchanged is silent,
though none watched it for long. Who cannot keep the file loses that, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import uuid
from pathlib import Path

from stilts.fingerprint import Json
from stilts.store.here import Here, elapsed_s, ticks_of
from stilts.store.lease_watch import Sighting

_MOST_BYTES = 1024 * 1024
_MOST_LEASES = 1000
_LONGEST_S = 7 * 24 * 3600.0


class LeaseNotes:
    """The notes of this machine, boot and user on one store; readings of another boot would mean nothing."""

    def __init__(self, url: str, here: Here, *, folder: Path | None = None) -> None:
        self._here = here
        base = folder or Path(tempfile.gettempdir())
        self._folder = base / f"stilts-leases-{os.geteuid()}"
        self._file = self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"

    def get(self, name: str) -> Sighting | None:
        """See ``Notes``."""
        return _sighting(self._read().get(name))

    def put(self, name: str, sighting: Sighting) -> None:
        """See ``Notes``. Of two processes that write at once one note is lost, which costs time only."""
        if not self._here.owner().machine:
            return
        others = [(one, note) for one, note in self._read().items() if one != name and self._is_fresh(note)]
        newest = dict([*others[1 - _MOST_LEASES :], (name, _as_json(sighting))])
        value = {"machine": self._here.owner().machine, "leases": newest}
        try:
            self._write(json.dumps(value).encode())
        except OSError:
            return  # a full or read-only disk: what this process remembers has to do

    def _read(self) -> dict[str, Json]:
        try:
            if not self._is_private() or self._file.stat().st_size > _MOST_BYTES:
                return {}
            value = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        machine = self._here.owner().machine
        leases = value.get("leases") if isinstance(value, dict) and value.get("machine") == machine else None
        return leases if isinstance(leases, dict) else {}

    def _write(self, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self._is_private():
            return
        temp = self._folder / f"{uuid.uuid4().hex}.tmp"
        try:
            temp.write_bytes(data)
            os.replace(temp, self._file)
        finally:
            temp.unlink(missing_ok=True)

    def _is_private(self) -> bool:
        """Whether nobody else can write there: a forged note could rob a holder."""
        found = os.lstat(self._folder)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022

    def _is_fresh(self, note: Json) -> bool:
        sighting = _sighting(note)
        age = None if sighting is None else elapsed_s(self._here.ticks(), sighting.first)
        return age is not None and age < _LONGEST_S


def _as_json(sighting: Sighting) -> Json:
    ahead: list[Json] = list(sighting.ahead_s or ())
    return {"digest": sighting.digest, "first": dict(sighting.first), "changed": sighting.changed, "ahead_s": ahead}


def _sighting(note: Json) -> Sighting | None:
    """The sighting of a note, or None where it is not as ``_as_json`` writes it."""
    fields = note if isinstance(note, dict) else {}
    digest, first, ahead = fields.get("digest"), ticks_of(fields.get("first")), fields.get("ahead_s")
    if not isinstance(digest, str) or not first:
        return None
    bounds = [one for one in (ahead if isinstance(ahead, list) else []) if isinstance(one, float)]
    ahead_s = (bounds[0], bounds[1]) if len(bounds) == 2 else None
    return Sighting(digest=digest, first=first, last=first, changed=fields.get("changed") is True, ahead_s=ahead_s)
