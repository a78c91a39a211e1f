"""HeldLease: the lease of this process, kept by a heartbeat until it is given back or lost."""

from __future__ import annotations

import threading
from types import TracebackType

from stilts.errors import LeaseLostError, StoreError, StoreUnavailableError
from stilts.store.backend import Backend
from stilts.store.here import Here
from stilts.store.lease_files import folder_of, highest, mark_of, record_of
from stilts.store.lease_record import LeaseRecord, write_record


class HeldLease:
    """The ``Lease`` of this process. The heartbeat runs in a daemon thread while the context is open."""

    def __init__(
        self, backend: Backend, name: str, *, generation: int, token: str, ttl_s: float, heartbeat_s: float, here: Here
    ) -> None:
        self.name = name
        self.token = token
        self.generation = generation
        self._backend = backend
        self._here = here
        self._owner = here.owner()
        self._ttl_s = ttl_s
        self._heartbeat_s = min(heartbeat_s, ttl_s / 4)
        self._beats = 0
        self._path = record_of(name, generation)
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """Raises LeaseLostError when another process has taken the lease over, or when it was given back."""
        if self._stop.is_set():
            raise self._lost("it was given back")
        self._check_highest()
        self._check_token(self._backend.read(self._path))

    def record(self) -> bytes:
        """The lease's object, with a heartbeat of now."""
        return write_record(
            self.name, self._here, token=self.token, ttl_s=self._ttl_s, owner=self._owner, beats=self._beats
        )

    def beat(self) -> None:
        """Writes a heartbeat; LeaseLostError where the record is another's by now."""
        with self._guard:
            if self._stop.is_set():
                raise self._lost("it was given back")
            found = self._backend.read(self._path)
            if found is None:  # tidied by a new holder
                self._check_highest()
            self._check_token(found)
            self._beats += 1
            self._backend.replace(self._path, self.record(), durable=False)

    def __enter__(self) -> HeldLease:
        self._thread = threading.Thread(target=self._keep, name=f"lease {self.name}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._guard:  # a heartbeat under way ends first
            try:
                # A mark of a lost generation would mislead whoever takes that number again.
                self._check_highest()
                self._check_token(self._backend.read(self._path))
                self._backend.create(mark_of(self.name, self.generation), b"{}")
            except (LeaseLostError, StoreError, StoreUnavailableError):
                # Lost, or out of reach and soon silent by itself; the block's own error matters more.
                return

    def _keep(self) -> None:
        while not self._stop.wait(self._heartbeat_s):
            try:
                self.beat()
            except LeaseLostError:
                return  # whoever holds this lease finds out by check()
            except (StoreError, StoreUnavailableError):
                continue  # the network may come back before ttl_s has passed

    def _check_highest(self) -> None:
        generation = highest(self._backend.children(folder_of(self.name)))
        if generation != self.generation:
            raise self._lost(
                "its record is gone" if generation < self.generation else "another process has taken it over"
            )

    def _check_token(self, data: bytes | None) -> None:
        """Numbers are used again where a lease was dropped while its holder slept; tokens never are."""
        token = LeaseRecord.parse(data).token
        # A record that was damaged names no holder, so no other one: the next heartbeat makes it whole.
        if token not in ("", self.token):
            raise self._lost("another process has taken it over")

    def _lost(self, found: str) -> LeaseLostError:
        return LeaseLostError(
            f"lease of {self.name}", found, "What this process made is discarded, so that nothing is published twice"
        )
