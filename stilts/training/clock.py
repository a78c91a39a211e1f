"""StageClock: where the time of a training or an evaluation goes. By default nobody looks.

The loop says what it does (``clock.during(StagePhase.OPTIMIZER)``); a ``Stopwatch`` listens, and only where one was
given does anything wait for a device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import Any, TypeAlias


class StagePhase(StrEnum):
    """What a stage does; ``IDLE`` is all that is none of the others."""

    DATA = "data"
    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    ENCODE = "evaluation: encode"
    PREDICT = "evaluation: predict"
    SCORE = "evaluation: score"
    CHECKPOINT = "checkpoint"
    IDLE = "idle"


Context: TypeAlias = AbstractContextManager[Any]
_NOTHING = nullcontext()


class StageClock:
    """A clock that nobody looks at."""

    def during(self, phase: StagePhase) -> Context:
        """A context whose time is the phase's, but for that of phases inside it."""
        return _NOTHING

    def around(self, phase: StagePhase, make: Callable[[], Context]) -> Callable[[], Context]:
        """A maker of the same contexts, whose time is the phase's."""
        return make


NO_CLOCK = StageClock()


class Stopwatch(StageClock):
    """Seconds by phase since ``restart``, of the one thread that uses it; together they are all of the time.

    ``wait`` returns once the device has done what it was given: it is called whenever a phase begins or ends, so that
    each has the time of its own work.
    """

    def __init__(self, wait: Callable[[], None] = lambda: None) -> None:
        self._wait = wait
        self._open = [StagePhase.IDLE]
        self.restart()

    def restart(self) -> None:
        """Begins to count anew; phases that are open stay so."""
        self._wait()
        self.seconds = dict.fromkeys(StagePhase, 0.0)
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Counts up to now."""
        self._turn()

    @contextmanager
    def during(self, phase: StagePhase) -> Iterator[None]:
        """As ``StageClock.during``."""
        self._turn()
        self._open.append(phase)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def around(self, phase: StagePhase, make: Callable[[], Context]) -> Callable[[], Context]:
        """As ``StageClock.around``."""

        @contextmanager
        def timed() -> Iterator[None]:
            with self.during(phase), make():
                yield

        return timed

    def _turn(self) -> None:
        """Gives the time since the last turn to the innermost open phase."""
        self._wait()
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now
