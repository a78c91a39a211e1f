"""What may lie where a file belongs and is none, made in a test's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

_MAKERS: Mapping[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
}


def put_odd(kind: str, path: Path) -> bool:
    """Puts a pipe, a folder or a device at the path; False for any other kind, which the caller makes."""
    if kind not in _MAKERS:
        return False
    _MAKERS[kind](path)
    return True
