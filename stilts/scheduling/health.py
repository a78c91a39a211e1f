"""Health: whether the processes of Ray that a driver cannot do without are alive: the raylet here, and the head.

Ray itself waits a minute for a head that is gone and then ends the process from within, without a word of ours. So a
thread looks for it, and tells the driver before.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType

from stilts.errors import ClusterError
from stilts.shown import remark

# A head that is started again within this time is found again; Ray gives up after 60 s.
_GONE_S = 30.0
# What the main thread may take to hear of it and to end: both may wait in Ray for an answer of the head.
_HEAR_WITHIN_S = 12.0
_LOOK_EVERY_S = 2.0


class RayDied(BaseException):
    """A process of Ray is gone for good. No Exception: Tune would first wait for actors that are gone with it."""

    def __init__(self, found: str, next_step: str, *, head_is_gone: bool) -> None:
        super().__init__(found)
        self._found, self._next_step = found, next_step
        self.head_is_gone, self.told = head_is_gone, False

    def explained(self) -> ClusterError:
        """What the user is told, by whoever calls this."""
        self.told = True
        why = "What is done stays done, and running stages go on from their checkpoints"
        return ClusterError("Ray", self._found, why, self._next_step)


class Health:
    """Looks while its context is open; without ``/proc`` (macOS) the raylet is taken to be alive.

    Where the head is gone the process ends soon, with status 1, whatever its main thread waits for: Ray would end it a
    little later, and what it has begun to end may never come to an end.
    """

    def __init__(self) -> None:
        import ray

        context = ray.get_runtime_context()
        self._raylet = _process_of(context.get_node_id())
        host, _, port = context.gcs_address.rpartition(":")
        self._head = (host.strip("[]"), int(port))
        self._silent_since: float | None = None
        self._death: RayDied | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="head of Ray", daemon=True)

    def __enter__(self) -> Health:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._death is None:
            self._stop.set()

    def head_answers(self) -> bool:
        """Whether the head takes connections now; what else is asked of one that does not waits for a minute."""
        try:
            with socket.create_connection(self._head, timeout=_LOOK_EVERY_S):
                return True
        except OSError:
            return False

    def check(self) -> None:
        """Raises RayDied where the raylet is gone, or the head for half a minute."""
        if self._silent_s > _GONE_S:
            self._death = self._head_died()
            raise self._death
        if self._raylet is not None and not _is_alive(self._raylet):
            raise RayDied(
                "its process on this machine (raylet) died; it was killed, perhaps for memory",
                "Run the same command again",
                head_is_gone=not self.head_answers(),
            )

    @property
    def _silent_s(self) -> float:
        since = self._silent_since
        return 0.0 if since is None else time.monotonic() - since

    def _head_died(self) -> RayDied:
        address = ":".join(map(str, self._head))
        return RayDied(
            f"its head at {address} has not answered for {_GONE_S:.0f} s: it was killed, or its machine is gone",
            "Start the cluster again, and run or submit the study again",
            head_is_gone=True,
        )

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            if self.head_answers():
                self._silent_since = None
            else:
                self._silent_since = self._silent_since or time.monotonic()
            if self._silent_s > _GONE_S + _HEAR_WITHIN_S:
                if self._death is None or not self._death.told:
                    remark(str(self._head_died().explained()))
                os._exit(1)


def _process_of(node_id: str) -> Path | None:
    """The folder below ``/proc`` of the raylet of a node, None where it is not to be found."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if Path(words[0]).name == "raylet" and any(node_id in word for word in words[1:]):
            return process
    return None


def _is_alive(process: Path) -> bool:
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")  # the driver's own child stays as a zombie until it is asked after
