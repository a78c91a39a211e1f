"""Checkpoints beside the loop: a copy is taken between two steps, and a thread writes it while training goes on.

The time between two follows what the last one cost the loop, so that checkpoints take at most ``MOST_FRAC`` of it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from stilts.training.clock import NO_CLOCK, StageClock, StagePhase

# What checkpoints may take of the time of the loop.
MOST_FRAC = 0.03
# Bytes a second of a core that are copied, written and hashed, until one was measured (460 MB took 1.15 s here).
_RATE = 4e8


class CheckpointWriter:
    """Writes one checkpoint at a time in a thread; what it fails with is raised in the loop, at the next chance.

    ``save`` keeps the files of a folder and may take them away. ``least_s`` is the least time between two checkpoints;
    with 0 one is taken whenever it is asked for, whatever it costs. ``num_bytes`` is about how large one is,
    ``scratch`` where its folder is while it is written (None: the system's place). As a context it waits for the last.
    """

    def __init__(
        self,
        save: Callable[[Path], None],
        *,
        least_s: float,
        num_bytes: int = 0,
        scratch: str | None = None,
        clock: StageClock = NO_CLOCK,
    ) -> None:
        self._save, self._least_s, self._scratch, self._clock = save, least_s, scratch, clock
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._last = time.monotonic()
        self._pause_s = self._pause_after(num_bytes / _RATE)

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.wait()
        elif self._thread is not None:
            self._thread.join()

    @property
    def is_due(self) -> bool:
        """Whether the next one is to be taken; raises what the last one failed with."""
        if self._least_s > 0 and self._thread is not None and self._thread.is_alive():
            return False
        self.wait()
        return time.monotonic() - self._last >= self._pause_s

    def start(self, take: Callable[[Path], Callable[[], None]]) -> None:
        """Takes one now: ``take`` is given an empty folder, and what it gives fills that beside the loop."""
        self.wait()
        started = time.monotonic()
        with self._clock.during(StagePhase.CHECKPOINT), ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=self._scratch, prefix="stilts-checkpoint-"))
            write = take(Path(folder))
            given = (Path(folder), write, stack.pop_all(), time.monotonic() - started)
        self._thread = threading.Thread(target=self._keep, args=given, name="checkpoint", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Returns once nothing is in flight; raises what the last one failed with."""
        if self._thread is not None:
            with self._clock.during(StagePhase.CHECKPOINT):
                self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _keep(self, folder: Path, write: Callable[[], None], stack: ExitStack, taking_s: float) -> None:
        try:
            with stack:
                write()
                self._save(folder)
        except BaseException as error:  # it is the loop's to raise
            self._error = error
        self._last = time.monotonic()
        # The loop waited while it was taken; what the thread computes takes a core from it. Waits cost nothing.
        self._pause_s = self._pause_after(taking_s + time.thread_time())

    def _pause_after(self, cost_s: float) -> float:
        return pause_after(cost_s, self._least_s)


def expected_checkpoints(loop_s: float, cost_s: float, least_s: float) -> int:
    """How many a loop takes in so many seconds, where each costs it ``cost_s`` and two are ``least_s`` apart."""
    pause_s = pause_after(cost_s, least_s)
    return int(loop_s // pause_s) if pause_s > 0 else 0


def pause_after(cost_s: float, least_s: float) -> float:
    """Seconds between a checkpoint that cost the loop so many and the next; 0 where each step has its own."""
    return max(least_s, cost_s * (1 / MOST_FRAC - 1)) if least_s > 0 else 0.0
