"""Tracker: how a study says that a result is in the store, without waiting for whoever shows it.

The store is the truth; a tracker only learns that there is something new to read from it.
"""

from __future__ import annotations

from typing import Protocol


class Tracker(Protocol):
    """A view of the store that follows a running study. Neither method raises, and ``notify`` returns at once."""

    def notify(self) -> None:
        """Says that the store holds something new: a result, a failure, a pruned record."""

    def close(self, *, finished: bool, timeout_s: float) -> bool:
        """Whether the view shows the study as it ended; waits at most ``timeout_s`` seconds for that.

        ``finished``: the run came to its own end, and was not broken off. A second call changes nothing.
        """


class NullTracker:
    """Follows nothing: for one stage on its own, and for studies with tracking switched off."""

    def notify(self) -> None:
        """Nothing."""

    def close(self, *, finished: bool, timeout_s: float) -> bool:
        """Always True: nothing was to be shown."""
        return True
