"""What a check found, of a device or of a cluster, as ``stilts doctor`` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """What came of a check. ``NOT_HERE``: there is nothing to be checked."""

    OK = "ok"
    FAILED = "failed"
    MEASURED = "measured"
    NOT_HERE = "not here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found, in words with figures, and what to do where it failed."""

    check: str
    verdict: CheckState
    found: str
    advice: str = ""
