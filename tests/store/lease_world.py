"""A world with its own time: machines whose clocks are wrong, one store, and leases that beat when they are told to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from stilts.store.backend import Backend
from stilts.store.held_lease import HeldLease
from stilts.store.here import Here
from stilts.store.lease import Leases
from stilts.store.lease_watch import LeaseWatch, Sighting
from stilts.store.owner import Owner

NAME, TTL_S, HEARTBEAT_S = "train-x", 60.0, 5.0


class Objects:
    """The part of a ``Backend`` that leases use, in a dict; ``slow_s`` passes in the world after the next read."""

    url, remote = "memory://world", True

    def __init__(self, world: World) -> None:
        self.held: dict[str, bytes] = {}
        self.reads = self.writes = 0
        self.slow_s = 0.0
        self._world = world

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        self.reads += len(paths)
        found = {path: self.held[path] for path in paths if path in self.held}
        slow_s, self.slow_s = self.slow_s, 0.0
        if slow_s:
            self._world.pass_time(slow_s)
        return found

    def create(self, path: str, data: bytes) -> bool:
        return self.held.setdefault(path, data) is data

    def replace(self, path: str, data: bytes, *, durable: bool = True) -> None:
        self.writes += 1
        self.held[path] = data

    def delete(self, path: str) -> None:
        self.held.pop(path, None)

    def children(self, path: str) -> list[str]:
        self.reads += 1
        return [name[len(path) + 1 :].partition("/")[0] for name in self.held if name.startswith(f"{path}/")]

    def names(self, path: str) -> Iterator[str]:
        return (name[len(path) + 1 :] for name in list(self.held) if name.startswith(f"{path}/"))


class Remembered:
    """Notes in a dict: what the processes of one machine share."""

    def __init__(self) -> None:
        self.notes: dict[str, Sighting] = {}

    def get(self, name: str) -> Sighting | None:
        return self.notes.get(name)

    def put(self, name: str, sighting: Sighting) -> None:
        self.notes[name] = sighting


@dataclass
class Machine:
    """A machine whose wall clock is ``wrong_s`` ahead; ``leases`` are those of the process that runs there now."""

    world: World
    host: str
    up_since: float
    wrong_s: float = 0.0
    notes: Remembered = field(default_factory=Remembered)
    boot: int = 1

    def __post_init__(self) -> None:
        self.restart()

    @property
    def here(self) -> Here:
        return Here(wall=lambda: self.world.now + self.wrong_s, ticks=self._ticks, owner=self._owner)

    def restart(self) -> None:
        """Another process of the same machine takes over: what the last one remembered is lost."""
        backend = cast(Backend, self.world.objects)
        watch = LeaseWatch(self.notes, self.here)
        self.leases = Leases(backend, ttl_s=TTL_S, heartbeat_s=HEARTBEAT_S, watch=watch)

    def _ticks(self) -> dict[str, float]:
        return {"monotonic": self.world.now - self.up_since}

    def _owner(self) -> Owner:
        return Owner(host=self.host, machine=f"{self.host}|{self.boot}", pid=77, started="1")


@dataclass(eq=False)
class Holder:
    """A process that took the lease, and whether it beats; ``faithful`` once it never failed to."""

    lease: HeldLease
    beats_at: float
    beating: bool = True
    faithful: bool = True


class World:
    """True time, in seconds, and everybody in it."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.objects = Objects(self)
        self.holders: list[Holder] = []
        self._ups = itertools.count(3_000, 100_000)

    def machine(self, host: str, wrong_s: float = 0.0) -> Machine:
        """A machine with an uptime of its own."""
        return Machine(world=self, host=host, up_since=self.now - next(self._ups), wrong_s=wrong_s)

    def take(self, machine: Machine) -> Holder:
        """The lease, taken by a process of the machine, which beats from now on."""
        holder = Holder(lease=machine.leases.take(NAME), beats_at=self.now + HEARTBEAT_S)
        self.holders.append(holder)
        return holder

    def pass_time(self, seconds: float) -> None:
        """Lets time pass; whoever beats does so when it is due."""
        end = self.now + seconds
        while due := [one for one in self.holders if one.beating and one.beats_at <= end]:
            holder = min(due, key=lambda one: one.beats_at)
            self.now = max(self.now, holder.beats_at)
            holder.beats_at += HEARTBEAT_S
            self.beat(holder)
        self.now = end

    def beat(self, holder: Holder) -> None:
        """One heartbeat; who learns that the lease is lost stops."""
        try:
            holder.lease.beat()
        except Exception:
            holder.beating = False
            if holder.faithful:
                raise
