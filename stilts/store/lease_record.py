"""LeaseRecord: what a lease's file says. It is data from outside: what it may not say is read as not said.

``beats`` counts the heartbeats, so that the bytes change with each even where the holder's clock stands still. Records
of older versions have neither ``beats`` nor ``ticks``; older versions read ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from stilts.fingerprint import Json
from stilts.store.backend import to_json
from stilts.store.here import Here, Ticks, seconds_of, ticks_of
from stilts.store.owner import Owner

# A record has about 400 bytes.
_MOST_BYTES = 64 * 1024
# A holder may ask for more patience than this only of observers that are as patient themselves.
_LONGEST_TTL_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """A holder's last sign. ``beat`` is unix seconds by its wall clock; ``ticks`` are its machine's (``here.py``)."""

    owner: Owner
    token: str = ""
    ttl_s: float | None = None
    beat: float | None = None
    ticks: Ticks = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes | None) -> LeaseRecord:
        """The record of these bytes, or of none; what cannot be read is empty."""
        fields = _fields(data or b"")
        token = fields.get("token")
        return cls(
            owner=Owner.parse(fields.get("owner")),
            token=token if isinstance(token, str) else "",
            ttl_s=seconds_of(fields.get("ttl_s")) or None,
            beat=seconds_of(fields.get("beat")),
            ticks=ticks_of(fields.get("ticks")),
        )

    def patience_s(self, own_s: float) -> float:
        """How long its holder may be silent: as it says, unless nobody would say so; then the observer's own."""
        if self.ttl_s is None or self.ttl_s > max(own_s, _LONGEST_TTL_S):
            return own_s
        return self.ttl_s


def write_record(name: str, here: Here, *, token: str, ttl_s: float, owner: Owner, beats: int) -> bytes:
    """The record of a heartbeat of now."""
    fields: dict[str, Json] = {"token": token, "ttl_s": ttl_s, "owner": owner.as_json(), "beat": here.wall()}
    return to_json(f"lease {name}", {**fields, "beats": beats, "ticks": dict(here.ticks())})


def _fields(data: bytes) -> dict[str, Json]:
    if len(data) > _MOST_BYTES:
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
