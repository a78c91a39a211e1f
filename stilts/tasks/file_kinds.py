"""What lies at a path that should be a file, told without opening it: a FIFO may wait for ever, a device has no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def not_a_file(path: Path) -> str | None:
    """``a folder``, ``a FIFO``, ... where something other than a file lies; None for a file, and for nothing at all.

    Symlinks are followed: what they point at is what would be opened.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "something other than a file")
