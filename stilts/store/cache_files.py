"""Files that can be made again, in a folder that holds nothing else: a cache is a convenience, and never in the way.

A file is written under another name and renamed, so that two processes may write the same one at once. Where a folder
cannot be read or written (a full disk, a folder that is read-only, that is a symlink or whose parent is one, a folder
in a file's place), nothing is found in it and nothing is kept. What is believed of a file's content is its reader's.
"""

from __future__ import annotations

import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from stilts.fingerprint import ID_HEX

# A folder that is a symlink is not followed: it may lead anywhere, and what is written would land there.
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PART = re.compile(r"[0-9a-f]{12}\.[0-9a-f]{32}\.part")
# No file takes so long to be written: a part of that age was left by a process that was killed.
_PART_LIVES_S = 24 * 3600
T = TypeVar("T")


def user_cache(name: str) -> Path:
    """``$XDG_CACHE_HOME/stilts/<name>``, or in ``~/.cache``: the user's own place for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "stilts" / name


def read_file(folder: Path, key: str, suffix: str, read: Callable[[int], T | None]) -> T | None:
    """What ``read`` makes of the descriptor of the file under ``key``; None where none is there, or it cannot be read.

    ``read`` may raise whatever a form that it does not know makes its library raise.
    """
    try:
        with _opened(folder) as place:
            descriptor = os.open(_name(key, suffix), _FILE, dir_fd=place)
        try:
            return read(descriptor)
        finally:
            os.close(descriptor)
    except Exception:
        return None


def write_file(
    folder: Path, key: str, suffix: str, content: bytes | Callable[[BinaryIO], None], *, lives_s: float | None = None
) -> None:
    """Puts a whole file in its place, on disk before it has its name; OSError where that cannot be.

    ``content`` are its bytes, or what writes them. With ``lives_s``, files of the suffix that were written longer ago
    than that are taken away.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _opened(folder, make=True) as place:
        _drop_old(place, _PART, _PART_LIVES_S)
        if lives_s is not None:
            _drop_old(place, re.compile(rf"[0-9a-f]{{{ID_HEX}}}{re.escape(suffix)}"), lives_s)
        part = f"{key[:ID_HEX]}.{uuid.uuid4().hex}.part"
        try:
            with os.fdopen(os.open(part, _NEW, 0o666, dir_fd=place), "wb") as stream:
                stream.write(content) if isinstance(content, bytes) else content(stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, _name(key, suffix), src_dir_fd=place, dst_dir_fd=place)
        except BaseException:
            with suppress(OSError):
                os.unlink(part, dir_fd=place)
            raise
        with suppress(OSError):  # some file systems cannot do it for a folder
            os.fsync(place)


@contextmanager
def _opened(folder: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder; OSError where it, or the one that it lies in, is no real folder."""
    above = os.open(folder.parent, _FOLDER)
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(folder.name, dir_fd=above)
        place = os.open(folder.name, _FOLDER, dir_fd=above)
    finally:
        os.close(above)
    try:
        yield place
    finally:
        os.close(place)


def _drop_old(place: int, named: re.Pattern[str], lives_s: float) -> None:
    """Takes away what is older, such as what killed processes left half-written; only plain files of our naming."""
    for name in os.listdir(place):
        if named.fullmatch(name):
            with suppress(OSError):
                status = os.stat(name, dir_fd=place, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > lives_s:
                    os.unlink(name, dir_fd=place)


def _name(key: str, suffix: str) -> str:
    return f"{key[:ID_HEX]}{suffix}"
