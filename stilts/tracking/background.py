"""BackgroundTracker: keeps MLflow up with the store while a study runs, and never in its way.

It does not import MLflow: the ``sync`` that it is given does, in the background thread.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from stilts.addresses import without_secrets
from stilts.tracking.spool import Spool

_LOG = logging.getLogger(__name__)
# How much longer than a sync the pause behind it is.
_REST = 9.0


class BackgroundTracker:
    """A Tracker whose thread calls ``sync`` at most every ``every_s`` seconds, and once more at ``close``.

    The first call is not made before ``first_after_s``.

    A sync that took long is followed by a pause nine times as long (at most ``max_backoff_s``), so that a large study
    is not compared with MLflow without end. ``last`` replaces ``sync`` at ``close``: the study has ended then, however
    that came. ``stop`` is called after the last sync, or to end one that hangs.

    When ``sync`` raises, ``pending.json`` in ``folder`` says what waits; it is tried again after ``backoff_s``,
    doubling up to ``max_backoff_s``. A file left by an earlier process is sent at once: the store is the truth, so
    sending again is one sync.
    """

    def __init__(
        self,
        sync: Callable[[], object],
        *,
        folder: Path,
        first_after_s: float = 0.0,
        every_s: float = 15.0,
        backoff_s: float = 5.0,
        max_backoff_s: float = 300.0,
        last: Callable[[], object] | None = None,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._sync, self._last = sync, last or sync
        self._spool = Spool(folder)
        self._every_s = every_s
        self._backoff_s = backoff_s
        self._max_backoff_s = max_backoff_s
        self._stop = stop
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._unsent: set[str] = set()
        self._waiting = self._spool.read() is not None
        self._failures = 0
        self._next_at = time.monotonic() + first_after_s
        self._closed = False
        self._given_up = False
        self._sent = threading.Event()
        self._thread = threading.Thread(target=self._work, name="stilts-tracker", daemon=True)
        self._thread.start()

    def notify(self, stage_id: str) -> None:
        """Puts the stage into the queue; never blocks, never raises."""
        self._queue.put(stage_id)

    def close(self, timeout_s: float = 60.0) -> bool:
        """Whether everything was sent. What was not is in ``pending.json`` and is sent by the next run."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        try:
            self._thread.join(timeout_s)
        finally:  # also when the user's second Ctrl-C ends the waiting
            late = self._given_up = self._thread.is_alive()
            if late:
                self._keep(f"still being sent {timeout_s:g} s after the end of the study")
            self._stop()
        return not late and self._sent.is_set()

    def _work(self) -> None:
        closing = False
        while not closing:
            closing = self._collect()
            # The last try does not wait for the pause after a failure; it may be the moment MLflow is back.
            if closing or (self._has_news() and time.monotonic() >= self._next_at):
                self._send(self._last if closing else self._sync)

    def _collect(self) -> bool:
        """Takes everything out of the queue, waiting until there is something to do; True when it is closed."""
        pause = max(0.0, self._next_at - time.monotonic()) if self._has_news() else None
        try:
            item = self._queue.get(timeout=pause)
            while item is not None:
                self._unsent.add(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            return False
        return True

    def _has_news(self) -> bool:
        return bool(self._unsent) or self._waiting

    def _send(self, sync: Callable[[], object]) -> None:
        started = time.monotonic()
        try:
            sync()
        except Exception as error:  # whatever went wrong, training goes on and the spool says so
            if self._given_up:
                return
            self._failures += 1
            said = without_secrets(str(error))
            self._keep(f"{type(error).__name__}: {said}")
            _LOG.warning("MLflow could not be written (%s); the results are in the store and will be sent again", said)
        else:
            self._failures = 0
            self._forget()
        pause = max(self._every_s, _REST * (time.monotonic() - started))
        if self._failures:
            pause = self._backoff_s * 2.0 ** (self._failures - 1)
        self._next_at = time.monotonic() + min(pause, max(self._max_backoff_s, self._every_s))

    def _keep(self, error: str) -> None:
        self._waiting = True
        self._sent.clear()
        try:
            self._spool.write(set(self._unsent), error[:2000])
        except OSError as problem:
            _LOG.warning("%s could not be written: %s", self._spool.path.name, problem)

    def _forget(self) -> None:
        self._unsent.clear()
        self._waiting = False
        try:
            self._spool.clear()
        except OSError as problem:
            _LOG.warning("%s could not be deleted: %s", self._spool.path.name, problem)
        self._sent.set()
