"""Here: what a process knows of itself and of time, as leases need it: who it is, and what its clocks say.

Wall clocks can be set, and those of two machines need not agree. The clocks behind ``Ticks`` are set by nobody, but
mean something on one machine and boot only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from stilts.fingerprint import Json
from stilts.store.owner import Owner

Ticks: TypeAlias = Mapping[str, float]

_CLOCKS = ("monotonic", "uptime")
# Unix seconds up to the year 5138, and more than any uptime: what is beyond is no time.
_LAST_S = 1e11
# Two readings that look reversed by less have a slow read between them; by more, somebody gave a process another time.
_REVERSED_S = 30.0


def machine_ticks() -> dict[str, float]:
    """Seconds by the clocks that nobody sets, the same in every process of this machine and boot.

    ``monotonic`` stands still while the machine sleeps. ``uptime`` does not, but libfaketime, which gives one process
    another time, cannot reach it.
    """
    ticks = {"monotonic": time.monotonic()}
    try:
        ticks["uptime"] = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):  # no Linux
        return ticks
    return ticks


def elapsed_s(now: Ticks, then: Ticks) -> float | None:
    """The seconds that surely passed between two readings of one machine; None where they cannot be compared."""
    spans = [now[name] - then[name] for name in _CLOCKS if name in now and name in then]
    if not spans or min(spans) < -_REVERSED_S:
        return None
    return max(0.0, min(spans))


def seconds_of(value: Json) -> float | None:
    """The seconds that a file names, from 0 to what can be, or None; NaN cannot, nor can a number of 400 digits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_S:
        return None
    return float(value)


def ticks_of(value: Json) -> dict[str, float]:
    """The readings that a file names, of the clocks that are known here."""
    fields = value if isinstance(value, dict) else {}
    read = {name: seconds_of(fields.get(name)) for name in _CLOCKS}
    return {name: seconds for name, seconds in read.items() if seconds is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This process and its clocks; tests give it others."""

    wall: Callable[[], float] = time.time
    ticks: Callable[[], Ticks] = machine_ticks
    owner: Callable[[], Owner] = Owner.this_process
