"""What a tracker could not send yet, as one small file. The store holds the results; this only says that they wait."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

SPOOL_FILE = "pending.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The stages that wait, the last error, since when (seconds since 1970) and how often it was tried."""

    stages: tuple[str, ...]
    error: str
    since: float
    attempts: int


class Spool:
    """The file ``pending.json`` of one folder: there while something waits, gone once all is sent."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / SPOOL_FILE

    def read(self) -> Pending | None:
        """What waits; None when nothing does. A file that cannot be understood counts as something waiting."""
        try:
            value = json.loads(self.path.read_text(encoding="utf-8"))
            return Pending(**{**value, "stages": tuple(value["stages"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            return Pending(stages=(), error=f"{self.path.name} is damaged: {error}", since=time.time(), attempts=0)

    def write(self, stages: Iterable[str], error: str) -> None:
        """Replaces the file; keeps since when, counts the attempt."""
        before = self.read()
        known = before.stages if before is not None else ()
        pending = Pending(
            stages=tuple(sorted({*known, *stages})),
            error=error,
            since=before.since if before is not None else time.time(),
            attempts=1 + (before.attempts if before is not None else 0),
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(asdict(pending), indent=1), encoding="utf-8")
        temporary.replace(self.path)

    def clear(self) -> None:
        """Deletes the file, if there is one."""
        self.path.unlink(missing_ok=True)
