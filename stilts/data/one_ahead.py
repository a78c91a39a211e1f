"""OneAhead: what is needed next is made in a thread, while what was made before is used."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class OneAhead(Generic[KeyT, ValueT]):
    """Values of a pure function of a key, one made ahead of its use.

    ``make`` is only ever called in one thread, one call after the other. What it raises is raised where the value is
    taken; what was made for a key that is not asked for is thrown away.
    """

    def __init__(self, make: Callable[[KeyT], ValueT]) -> None:
        self._make = make
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._next: tuple[KeyT, Future[ValueT]] | None = None

    def take(self, key: KeyT, *, then: KeyT | None) -> ValueT:
        """The value of ``key``; that of ``then`` is begun, None: no other is needed."""
        ready, self._next = self._next, None
        future = ready[1] if ready is not None and ready[0] == key else self._thread.submit(self._make, key)
        value = future.result()
        if then is None:
            self._thread.shutdown(wait=False)
        else:
            self._next = then, self._thread.submit(self._make, then)
        return value
