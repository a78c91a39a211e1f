"""Files from outside, opened only where they are plain files of a size that their kind can have.

Whoever reads a file that a user brought opens it here, with a bound that says where it comes from. Every floor may
import this module.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from stilts.errors import DataError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def not_a_file(path: Path) -> str | None:
    """``a folder``, ``a pipe``, ... where something other than a file lies; None for a file, and for nothing at all.

    Told without opening it: a pipe may wait for ever, a device has no end. Symlinks are followed: what they point at
    is what would be opened.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    return None if stat.S_ISREG(mode) else _kind(mode)


def read_bounded(path: Path, most: int) -> bytes:
    """The whole of a plain file; DataError where it holds more than ``most`` bytes, is no plain file, or not readable.

    A pipe or a device is told from a file before anything is read, so nothing is waited for.
    """
    with open_bounded(path, most) as stream:
        try:
            data = stream.read(most + 1)
        except OSError as error:
            raise _unreadable(path, error) from error
    if len(data) > most:  # it grew, or it is a file of /proc, which says that it holds nothing
        raise _too_large(path, len(data), most)
    return data


def open_bounded(path: Path, most: int) -> BinaryIO:
    """The plain file, opened for reading; DataError as ``read_bounded`` raises it."""
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        raise _unreadable(path, error) from error
    status = os.fstat(stream.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= most:
        return stream
    stream.close()
    if stat.S_ISREG(status.st_mode):
        raise _too_large(path, status.st_size, most)
    raise _no_file(path, status.st_mode)


def sized(num_bytes: int) -> str:
    """A number of bytes in words, such as ``4 MiB``."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if num_bytes >= unit:
            return f"{num_bytes / unit:.3g} {name}"
    return f"{num_bytes} bytes"


def _too_large(path: Path, found: int, most: int) -> DataError:
    return DataError(
        path,
        f"it holds {sized(found)}, more than the {sized(most)} that are read",
        why="A file of this kind is far smaller, and reading this one could take all memory",
        next_step="Correct the path, or split the file",
    )


def _no_file(path: Path, mode: int) -> DataError:
    return DataError(path, f"it is {_kind(mode)}, no file", next_step="Give the path of a file")


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "something else")


def _unreadable(path: Path, error: OSError | ValueError) -> DataError:
    if isinstance(error, IsADirectoryError):
        return _no_file(path, stat.S_IFDIR)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return DataError(path, f"it cannot be read ({reason})", next_step="Correct the path")
