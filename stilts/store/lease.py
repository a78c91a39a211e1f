"""Leases: who may work on a stage. One rival wins, a dead holder is replaced at once, a silent one after ``ttl_s``.

A lease is a row of generations, ``leases/<name>/<generation>.json``; the highest counts. Taking it over means creating
the next generation, which one rival can; the holder rewrites only its own file, as a heartbeat. Giving it back creates
``<generation>.released``, which no late heartbeat can undo. The clocks of machines that share a store need not agree:
``lease_state.py`` says who is live.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial

from stilts.errors import DamagedError, LeaseHeldError, LeaseLostError, StoreError, StoreUnavailableError
from stilts.store.backend import Backend
from stilts.store.held_lease import HeldLease
from stilts.store.here import Here, Ticks
from stilts.store.layout import LEASES, check_stage
from stilts.store.lease_files import by_lease, folder_of, following, highest, is_released, record_of, up_to
from stilts.store.lease_notes import LeaseNotes
from stilts.store.lease_state import LeaseState, held, judge
from stilts.store.lease_watch import LeaseWatch
from stilts.store.owner import Owner

# A rival that lost a race finds the winner's live lease in the next round; more rounds need rivals that die meanwhile.
_ROUNDS = 8


class Leases:
    """All leases of a store."""

    def __init__(
        self, backend: Backend, *, ttl_s: float, heartbeat_s: float, watch: LeaseWatch | None = None, job: str = ""
    ) -> None:
        self._backend = backend
        self._ttl_s = ttl_s
        self._heartbeat_s = heartbeat_s
        here = Here(owner=partial(Owner.this_process, job))
        self._watch = watch or LeaseWatch(LeaseNotes(backend.url, here), here)

    def take(self, name: str) -> HeldLease:
        """The lease, taken; LeaseHeldError while another live process, or another thread of this one, holds it.

        A silent holder on another machine is known by several looks, at least ``ttl_s`` apart: ask again.
        """
        check_stage(name)
        for _ in range(_ROUNDS):
            before = self._watch.here.ticks()
            files = self._backend.children(folder_of(name))
            state = next(iter(self._states({name: files}, before)), None)
            if state is not None and state.live:
                raise held(state)
            lease = self._try(name, following(name, files))
            if lease is not None:
                self._watch.forget(name)
                return lease
        raise LeaseHeldError(f"lease of {name}", "other processes kept taking it at the same moment", "", "Try again")

    def state(self, name: str) -> LeaseState | None:
        """The lease's highest generation, or None when it was never taken."""
        before = self._watch.here.ticks()
        return next(iter(self._states({name: self._backend.children(folder_of(name))}, before)), None)

    def states(self) -> list[LeaseState]:
        """All leases, sorted by name."""
        before = self._watch.here.ticks()
        return self._states(by_lease(self._backend.names(LEASES)), before)

    def drop(self, name: str, generation: int) -> None:
        """Deletes the records up to a generation; one taken since stays. LeaseHeldError where its holder lives.

        Counting then starts anew, so only for stages that are done, or leases silent for long: see ``gc.py``.
        """
        state = self.state(name)
        if state is not None and state.generation == generation and state.live:
            raise held(state)
        self._tidy(name, generation)

    def _try(self, name: str, generation: int) -> HeldLease | None:
        """The lease under this generation, or None when a rival has this or a higher one."""
        lease = HeldLease(
            self._backend,
            name,
            generation=generation,
            token=f"{generation:08d}-{uuid.uuid4().hex}",
            ttl_s=self._ttl_s,
            heartbeat_s=self._heartbeat_s,
            here=self._watch.here,
        )
        path, data = record_of(name, generation), lease.record()
        # A create whose reply was lost and which was then repeated says False; the token tells.
        if not self._backend.create(path, data) and self._backend.read(path) != data:
            return None
        try:
            lease.check()  # a rival may have passed this generation, and tidied it, between the look and the create
        except LeaseLostError:
            return None
        self._tidy(name, generation - 1)
        return lease

    def _tidy(self, name: str, generation: int) -> None:
        for file in up_to(self._backend.children(folder_of(name)), generation):
            try:
                self._backend.delete(f"{folder_of(name)}/{file}")
            except (StoreError, StoreUnavailableError):
                continue  # not a file, or out of reach: an old generation misleads nobody

    def _read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The records at the paths; one too large to be one says nothing, what is no file counts as gone."""
        try:
            return self._backend.read_many(paths)
        except DamagedError:
            found: dict[str, bytes] = {}
            for path in paths:
                try:
                    data = self._backend.read(path)
                except DamagedError:
                    data = b"" if self._backend.exists(path) else None
                if data is not None:
                    found[path] = data
            return found

    def _states(self, files: Mapping[str, list[str]], before: Ticks) -> list[LeaseState]:
        counted = {name: highest(found) for name, found in files.items()}
        paths = {name: record_of(name, generation) for name, generation in counted.items() if generation}
        data = self._read(list(paths.values()))
        return [
            judge(
                name,
                counted[name],
                data.get(path),
                released=is_released(files[name], counted[name]),
                own_ttl_s=self._ttl_s,
                before=before,
                watch=self._watch,
            )
            for name, path in sorted(paths.items())
        ]
