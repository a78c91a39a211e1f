"""Tracker: how a study says that a result is in the store, without waiting for whoever shows it.

The store is the truth; a tracker only learns that there is something new to read from it.
"""

from __future__ import annotations

from typing import Protocol


class Tracker(Protocol):
    """A view of the store that follows a running study. Neither method raises, and ``notify`` returns at once."""

    def notify(self, stage_id: str) -> None:
        """Says that the store holds something new of this stage: a result, a failure, a pruned record."""

    def close(self, timeout_s: float = 60.0) -> bool:
        """Whether the view shows all that was notified; waits at most ``timeout_s`` seconds for that."""


class NullTracker:
    """Follows nothing: for one stage on its own, and for studies with tracking switched off."""

    def notify(self, stage_id: str) -> None:
        """Nothing."""

    def close(self, timeout_s: float = 60.0) -> bool:
        """Always True: nothing was to be shown."""
        return True
