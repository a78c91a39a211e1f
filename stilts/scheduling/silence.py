"""Silence: for how long each running stage has said nothing, so that one that hangs is ended and run again. No Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

# What one look counts at most: a driver that was stopped itself, or kept by a slow store, has heard nobody meanwhile.
_LOOK_S = 5.0


class Silence:
    """Counts the seconds since each stage's last word; ``most_s`` is what a stage may take over a step."""

    def __init__(self, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_s, self._clock = most_s, clock
        self._looked = clock()
        self._quiet_s: dict[str, float] = {}

    def heard(self, stage_id: str) -> None:
        """Notes that a stage began, or said where it is."""
        self._quiet_s[stage_id] = 0.0

    def look(self, running: Iterable[str]) -> list[str]:
        """Those of the running stages that said nothing for too long, each once; asked when all could be heard."""
        now = self._clock()
        passed, self._looked = min(now - self._looked, _LOOK_S), now
        self._quiet_s = {one: self._quiet_s[one] + passed for one in running if one in self._quiet_s}
        hung = [one for one, quiet_s in self._quiet_s.items() if quiet_s > self.most_s]
        for one in hung:
            del self._quiet_s[one]
        return hung

    def error(self) -> str:
        """What is told of a stage that is ended for its silence."""
        return (
            f"StageHungError: it took no step for {self.most_s:.0f} s, so its process was ended; a stage that needs "
            "longer over a step, or to read its data, wants a larger resources.silent_s"
        )
