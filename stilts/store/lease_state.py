"""LeaseState: a lease as it lies in the store, and whether its holder may still work. Who is in doubt holds it.

A holder on this machine is judged by the process table and by the machine's own clocks, one elsewhere by what was seen
of it (``lease_watch.py``). Wall clocks decide nothing; where two of them differ, the error says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from stilts.errors import LeaseHeldError
from stilts.store.here import Here, Ticks, elapsed_s
from stilts.store.lease_record import LeaseRecord
from stilts.store.lease_watch import LeaseWatch, Sighting
from stilts.store.owner import Owner

# Machines that ask a time server agree to a fraction of a second; below this a difference is nobody's worry.
_DIFFER_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseState:
    """A lease: ``live`` while its holder may work. ``silent_s`` is for how long surely nobody held it.

    ``sign`` says when the holder last gave one, ``clocks`` which clocks differ, if any do; both in words.
    """

    name: str
    generation: int
    live: bool
    owner: Owner
    silent_s: float
    sign: str
    clocks: str


def judge(
    name: str,
    generation: int,
    data: bytes | None,
    *,
    released: bool,
    own_ttl_s: float,
    before: Ticks,
    watch: LeaseWatch,
) -> LeaseState:
    """The lease whose highest record was read as ``data``, since ``before``."""
    record, here = LeaseRecord.parse(data), watch.here
    state = partial(LeaseState, name=name, generation=generation, owner=record.owner)
    # A record that vanished since it was listed was tidied by a new holder: creating its successor fails.
    if data is None or released or record.owner.is_dead():
        silent_s = 0.0 if record.beat is None else max(0.0, here.wall() - record.beat)
        return state(live=False, silent_s=silent_s, sign="", clocks="")
    ttl_s = record.patience_s(own_ttl_s)
    age_s = _age_s(record, here, before)
    if age_s is not None:
        ahead = None if record.beat is None else record.beat + age_s - here.wall()
        clocks = "" if ahead is None else _clocks(record, here, (ahead, ahead), ttl_s)
        sign = f"last heartbeat {age_s:.0f} s ago"
        return state(live=age_s <= ttl_s, silent_s=age_s, sign=sign, clocks=clocks)
    sighting = watch.look(name, generation, data, beat=record.beat, before=before)
    silent_s = sighting.unchanged_s(before) or 0.0
    sign, clocks = _sign(sighting, silent_s, ttl_s), _clocks(record, here, sighting.ahead_s, ttl_s)
    return state(live=silent_s <= ttl_s, silent_s=silent_s, sign=sign, clocks=clocks)


def held(state: LeaseState) -> LeaseHeldError:
    """The error for a lease that another process holds, or may hold."""
    clocks = f". {state.clocks}" if state.clocks else ""
    return LeaseHeldError(
        f"lease of {state.name}",
        f"{state.owner} holds it ({state.sign})",
        f"Two processes on one stage would do the work twice{clocks}",
        "Wait until it has ended, or stop that process; its lease is free at once on the same machine",
        holder=str(state.owner),
        clocks=state.clocks,
    )


def _age_s(record: LeaseRecord, here: Here, before: Ticks) -> float | None:
    """Seconds since the heartbeat by the clocks of this machine; None where the record is of another, or names none."""
    mine = record.owner.machine and record.owner.machine == here.owner().machine
    return elapsed_s(before, record.ticks) if mine else None


def _sign(sighting: Sighting, unchanged_s: float, ttl_s: float) -> str:
    if sighting.changed:
        return f"last seen to change {unchanged_s:.0f} s ago"
    if sighting.first == sighting.last:
        return f"first seen just now; if nothing of it changes it is free in {ttl_s:.0f} s"
    return f"not seen to change for {unchanged_s:.0f} s; it is free after {ttl_s:.0f} s"


def _clocks(record: LeaseRecord, here: Here, ahead: tuple[float, float] | None, ttl_s: float) -> str:
    """What the heartbeat's time tells of the two clocks, given how far the other may be ahead; empty if they agree."""
    own, other = here.owner().host, record.owner.host
    pair = f"clocks of {own} and {other}" if own != other else f"clocks of two processes on {own}"
    if ahead is None:
        return f"Its heartbeat gives no time that can be: look at the clock of {other}" if other else ""
    low, high = ahead
    if low > _DIFFER_S:
        return f"The {pair} differ by {_span(low)}" + ("" if math.isfinite(high) else " or more")
    if high < -_DIFFER_S:
        return f"The {pair} differ by {_span(-high)}"
    if low < -ttl_s and not math.isfinite(high):
        return f"Its heartbeat reads {_span(-low)} ago by this clock: it stopped, or the {pair} differ by that"
    return ""


def _span(seconds: float) -> str:
    for unit_s, unit, most_s in ((1, "s", 90), (60, "min", 90 * 60), (3600, "h", 48 * 3600)):
        if seconds < most_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
