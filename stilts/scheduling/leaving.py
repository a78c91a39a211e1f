"""Leaving: nodes that are about to go, and the stages on them, which save a checkpoint and go on elsewhere.

Ray calls such a node draining: its cloud takes it back (a spot machine, told by the autoscaler or by KubeRay), its pod
is deleted, or somebody typed ``ray drain-node``. Ray places nothing more there, and the node ends once it is idle.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from stilts.scheduling.desk import Desk
from stilts.scheduling.live_nodes import leaving_nodes

# Kubernetes gives a pod 30 s between its notice and its end, clouds 30 to 120.
_EVERY_S = 1.0


class Leaving:
    """Looks for nodes that leave, once a second; ``recount`` has the desk see the nodes that stay."""

    def __init__(self, desk: Desk, board: Any, recount: Callable[[], None]) -> None:
        self._desk, self._board, self._recount = desk, board, recount
        self._known = frozenset[str]()
        self._looked = time.monotonic()

    def look(self) -> None:
        """Asks the stages on nodes that were not leaving before to save a checkpoint and end there."""
        now = time.monotonic()
        if now - self._looked < _EVERY_S:
            return
        self._looked = now
        leaving = leaving_nodes()
        if new := leaving - self._known:
            self._recount()
            self._board.leave.remote(self._desk.leave(new))
        self._known |= leaving
