"""Which processes of ranks live."""

from __future__ import annotations

import psutil


def ranks_of(pid: int) -> list[int]:
    """The processes of ranks that a process has started and that live."""
    alive = [child for child in psutil.Process(pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child.pid for child in alive if "stilts.training.rank_process" in child.cmdline()]
