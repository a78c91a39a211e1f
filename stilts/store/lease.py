"""Leases: who may work on a stage. One rival wins, a dead holder is replaced at once, a silent one after ``ttl_s``.

A lease is a row of generations, ``leases/<name>/<generation>.json``; the highest counts. Taking it over means creating
the next generation, which one rival can; the holder rewrites only its own file, as a heartbeat. Giving it back creates
``<generation>.released``, which no late heartbeat can undo. Clocks of machines that share a store must agree
to well within ``ttl_s``.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from stilts.errors import LeaseHeldError, LeaseLostError, StoreError
from stilts.fingerprint import Json
from stilts.store.backend import Backend, from_json, to_json
from stilts.store.layout import LEASES, check_stage
from stilts.store.owner import Owner

_FILE = re.compile(r"(\d{8,})\.(json|released)")
# A rival that lost a race finds the winner's live lease in the next round; more rounds need rivals that die meanwhile.
_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseState:
    """A lease as it lies in the store: ``live`` while its holder may work; ``beat`` is its last sign, unix seconds."""

    name: str
    generation: int
    live: bool
    beat: float
    owner: Owner

    @property
    def silent_s(self) -> float:
        """Seconds since the last heartbeat, by this machine's clock."""
        return max(0.0, time.time() - self.beat)


class HeldLease:
    """The ``Lease`` of this process. The heartbeat runs in a daemon thread while the context is open."""

    def __init__(
        self, backend: Backend, name: str, *, generation: int, token: str, ttl_s: float, heartbeat_s: float
    ) -> None:
        self.name = name
        self.token = token
        self.generation = generation
        self._backend = backend
        self._fields: dict[str, Json] = {"token": token, "ttl_s": ttl_s, "owner": Owner.this_process().as_json()}
        self._heartbeat_s = min(heartbeat_s, ttl_s / 4)
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """Raises LeaseLostError when another process has taken the lease over, or when it was given back."""
        if self._stop.is_set():
            raise self._lost("it was given back")
        self._check_highest()

    def _check_highest(self) -> None:
        generations = _generations(self._backend.children(f"{LEASES}/{self.name}"))
        highest = max(generations, default=0)
        if highest != self.generation:
            found = "its record is gone" if highest < self.generation else "another process has taken it over"
            raise self._lost(found)

    def __enter__(self) -> HeldLease:
        self._thread = threading.Thread(target=self._beat, name=f"lease {self.name}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._guard:  # a heartbeat under way ends first
            try:
                self._check_highest()  # a mark of a lost generation would mislead whoever takes that number again
                self._backend.create(_path(self.name, self.generation, "released"), b"{}")
            except (LeaseLostError, OSError, StoreError):
                # Lost, or out of reach and soon stale by itself; the block's own error matters more.
                return

    def record(self) -> bytes:
        """The lease's object, with a heartbeat of now."""
        return to_json(f"lease {self.name}", {**self._fields, "beat": time.time()})

    def _beat(self) -> None:
        while not self._stop.wait(self._heartbeat_s):
            try:
                self._renew()
            except LeaseLostError:
                return  # whoever holds this lease finds out by check()
            except (OSError, StoreError):
                continue  # the network may come back before ttl_s has passed

    def _renew(self) -> None:
        with self._guard:
            self.check()
            self._backend.replace(_path(self.name, self.generation, "json"), self.record(), durable=False)

    def _lost(self, found: str) -> LeaseLostError:
        return LeaseLostError(
            f"lease of {self.name}", found, "What this process made is discarded, so that nothing is published twice"
        )


class Leases:
    """All leases of a store."""

    def __init__(self, backend: Backend, *, ttl_s: float, heartbeat_s: float) -> None:
        self._backend = backend
        self._ttl_s = ttl_s
        self._heartbeat_s = heartbeat_s

    def take(self, name: str) -> HeldLease:
        """The lease, taken; LeaseHeldError while another live process, or another thread of this one, holds it."""
        check_stage(name)
        for _ in range(_ROUNDS):
            state = self.state(name)
            if state is not None and state.live:
                raise _held(state)
            lease = self._try(name, 1 if state is None else state.generation + 1)
            if lease is not None:
                return lease
        raise LeaseHeldError(f"lease of {name}", "other processes kept taking it at the same moment", "", "Try again")

    def state(self, name: str) -> LeaseState | None:
        """The lease's highest generation, or None when it was never taken."""
        files = self._backend.children(f"{LEASES}/{name}")
        return next(iter(self._states({name: files})), None)

    def states(self) -> list[LeaseState]:
        """All leases, sorted by name."""
        files: dict[str, list[str]] = {}
        for path in self._backend.names(LEASES):
            name, _, file = path.rpartition("/")
            files.setdefault(name, []).append(file)
        return self._states(files)

    def drop(self, name: str, generation: int) -> None:
        """Deletes the records up to a generation; one taken since stays.

        Counting then starts anew, so only for stages that are done, or leases silent for long: see ``gc.py``.
        """
        self._tidy(name, generation + 1)

    def _try(self, name: str, generation: int) -> HeldLease | None:
        """The lease under this generation, or None when a rival has this or a higher one."""
        token = f"{generation:08d}-{uuid.uuid4().hex}"
        lease = HeldLease(
            self._backend, name, generation=generation, token=token, ttl_s=self._ttl_s, heartbeat_s=self._heartbeat_s
        )
        path, data = _path(name, generation, "json"), lease.record()
        # A create whose reply was lost and which was then repeated says False; the token tells.
        if not self._backend.create(path, data) and self._backend.read(path) != data:
            return None
        try:
            lease.check()  # a rival may have passed this generation, and tidied it, between the look and the create
        except LeaseLostError:
            return None
        self._tidy(name, generation)
        return lease

    def _tidy(self, name: str, generation: int) -> None:
        for file in self._backend.children(f"{LEASES}/{name}"):
            match = _FILE.fullmatch(file)
            if match and int(match[1]) < generation:
                self._backend.delete(f"{LEASES}/{name}/{file}")

    def _states(self, files: dict[str, list[str]]) -> list[LeaseState]:
        highest = {name: max(_generations(found), default=0) for name, found in files.items()}
        paths = {name: _path(name, generation, "json") for name, generation in highest.items() if generation}
        data = self._backend.read_many(list(paths.values()))
        return [
            _parse(name, highest[name], data.get(path), released=f"{highest[name]:08d}.released" in files[name])
            for name, path in sorted(paths.items())
        ]


def _parse(name: str, generation: int, data: bytes | None, *, released: bool) -> LeaseState:
    # A record that vanished since it was listed was tidied by a new holder: not live, and creating its successor fails.
    fields = from_json(f"lease {name}", data) if data is not None else {}
    fields = fields if isinstance(fields, dict) else {}
    owner, beat, ttl_s = Owner.parse(fields.get("owner")), _number(fields.get("beat")), _number(fields.get("ttl_s"))
    live = not released and time.time() - beat <= ttl_s and not owner.is_dead()
    return LeaseState(name=name, generation=generation, live=live, beat=beat, owner=owner)


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _generations(files: Iterable[str]) -> set[int]:
    """The generations taken; a mark of release alone is none."""
    matches = (_FILE.fullmatch(file) for file in files)
    return {int(match[1]) for match in matches if match and match[2] == "json"}


def _path(name: str, generation: int, kind: str) -> str:
    return f"{LEASES}/{name}/{generation:08d}.{kind}"


def _held(state: LeaseState) -> LeaseHeldError:
    return LeaseHeldError(
        f"lease of {state.name}",
        f"process {state.owner.pid} on {state.owner.host} holds it (last heartbeat {state.silent_s:.0f} s ago)",
        "Two processes on one stage would do the work twice",
        "Wait until it has ended, or stop that process; its lease is free at once on the same machine",
    )
