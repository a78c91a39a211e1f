"""LeaseWatch: whether the leases of other machines change, by this process's own time.

No clock of another machine is believed. Who works rewrites its record; bytes that stayed the same for long enough,
between two looks by our own clock, are a holder's silence, whatever time they name.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from typing import Protocol

from stilts.store.here import Here, Ticks, elapsed_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The bytes of a lease as last seen: ``first`` after the read that met them first, ``last`` before the latest.

    ``changed`` is whether other bytes were seen before. ``ahead_s`` bounds how far the writer's wall clock is ahead
    of ours, as the heartbeat tells: the upper bound needs an earlier look.
    """

    digest: str
    first: Ticks
    last: Ticks
    changed: bool
    ahead_s: tuple[float, float] | None

    def unchanged_s(self, now: Ticks) -> float | None:
        """Seconds for which the bytes surely stayed the same, seen again by a read that began ``now``."""
        return elapsed_s(now, self.first)


class Notes(Protocol):
    """Where sightings are kept for other processes of this machine (``lease_notes.py``)."""

    def get(self, name: str) -> Sighting | None:
        """What was noted last of the lease."""

    def put(self, name: str, sighting: Sighting) -> None:
        """Notes it, if that can be."""


class LeaseWatch:
    """What this process saw of leases. Safe to share among threads; belongs to one ``Leases`` and does not travel."""

    def __init__(self, notes: Notes, here: Here) -> None:
        self.here = here
        self._notes = notes
        self._seen: dict[str, Sighting] = {}
        self._guard = threading.Lock()

    def look(self, name: str, generation: int, data: bytes, *, beat: float | None, before: Ticks) -> Sighting:
        """The sighting of these bytes, read since ``before``; the first one of them is noted."""
        digest = hashlib.sha256(b"%d %b" % (generation, data)).hexdigest()
        with self._guard:
            known = [one for one in (self._seen.get(name), self._notes.get(name)) if one is not None]
            same = [one for one in known if one.digest == digest and one.unchanged_s(before) is not None]
            if same:
                sighting = replace(same[0], last=before)
            else:
                sighting = self._first(digest, beat, known[0] if known else None)
                self._notes.put(name, sighting)
            self._seen[name] = sighting
            return sighting

    def forget(self, name: str) -> None:
        """Forgets a lease that is not watched any longer."""
        with self._guard:
            self._seen.pop(name, None)

    def _first(self, digest: str, beat: float | None, earlier: Sighting | None) -> Sighting:
        now, wall = self.here.ticks(), self.here.wall()
        since = None if earlier is None else elapsed_s(now, earlier.last)
        # The heartbeat was written before now, and after the last look at the bytes before it.
        low = None if beat is None else beat - wall
        ahead = None if low is None else (low, float("inf") if since is None else low + since)
        return Sighting(digest=digest, first=now, last=now, changed=earlier is not None, ahead_s=ahead)
