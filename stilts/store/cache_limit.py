"""What a machine keeps in the user's cache folder, within a limit: copies of a bucket's artifacts, and tokenized data.

What was used longest ago goes first. A copy of an artifact that a process may still read is held by a lock on its
folder, and stays; a file of tokenized data may go at any time, since whoever reads it has it open. When that was last,
the file system says, to a day on most: to touch a file would have it checked anew.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stilts.errors import InputError
from stilts.store.cache_files import user_cache
from stilts.store.layout import is_token

# How many gibibytes the caches of this machine's user may have together; nothing for no limit.
LIMIT_VARIABLE = "STILTS_CACHE_GIB"
# A stage reads an encoder and the adapters on it, and then no longer.
_HELD_AT_ONCE = 16
# What is being copied, or taken away: at such an age its process was killed.
_PART, _PART_LIVES_S = "tmp-", 24 * 3600


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """What may go as a whole: when it was used last (Unix seconds), what it takes, and where it is."""

    used: float
    bytes: int
    path: Path


def cache_limit() -> int | None:
    """Bytes that the caches of this machine's user may have, None for no limit; InputError for what is no number."""
    given = os.environ.get(LIMIT_VARIABLE)
    if not given:
        return None
    try:
        gib = float(given)
    except ValueError:
        gib = -1.0
    if not 0 <= gib < 1e9:
        raise InputError(
            f"{LIMIT_VARIABLE}={given}",
            "it is no number of gibibytes",
            "It bounds what each node keeps of a bucket's artifacts and of tokenized data",
            f"Write it like {LIMIT_VARIABLE}=200, or leave it out for no limit",
        )
    return int(gib * 2**30)


class Held:
    """The folders of artifacts that this process may still read: the last few that it asked for."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()

    def hold(self, folder: Path) -> bool:
        """Marks a folder as used and in use; False where it is not there, or is going."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            pass  # a file system without locks: there, nothing can be taken away either
        if not _is_still(folder, descriptor):
            os.close(descriptor)
            return False
        with suppress(OSError):
            os.utime(descriptor)
        self._let_go(folder)
        self._open[folder] = descriptor
        if len(self._open) > _HELD_AT_ONCE:
            self._let_go(next(iter(self._open)))
        return True

    def _let_go(self, folder: Path) -> None:
        descriptor = self._open.pop(folder, None)
        if descriptor is not None:
            os.close(descriptor)


def keep_within(most_bytes: int | None) -> int:
    """Takes away what was used longest ago until the caches have no more than that; the bytes that went."""
    if most_bytes is None:
        return 0
    found = sorted(_entries())
    over, gone = sum(entry.bytes for entry in found) - most_bytes, 0
    for entry in found:
        if gone >= over:
            break
        if _take_away(entry.path):
            gone += entry.bytes
    return gone


def _entries() -> Iterator[_Entry]:
    """What lies in the caches: ``store/<id>/files/<key>/<attempt>`` and ``tokens/<key>.arrow``."""
    for root in {user_cache(""), Path("~/.cache/stilts").expanduser()}:
        for folder, names, _ in os.walk(root / "store"):
            here = Path(folder)
            if is_token(here.name) or (here.name.startswith(_PART) and _used(here) < time.time() - _PART_LIVES_S):
                names.clear()
                yield _Entry(_used(here), sum(path.stat().st_size for path in here.rglob("*") if path.is_file()), here)
        for path in (root / "tokens").glob("*.arrow"):
            with suppress(OSError):
                status = path.stat(follow_symlinks=False)
                yield _Entry(status.st_atime, status.st_size, path)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _take_away(path: Path) -> bool:
    """Whether a file or a folder that nobody holds went."""
    try:
        if not path.is_dir():
            path.unlink()
            return True
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_still(path, descriptor):
            return False
        going = path.parent / f"{_PART}{uuid.uuid4().hex}"
        path.rename(going)
        shutil.rmtree(going, ignore_errors=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_still(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(folder), os.fstat(descriptor))
    except OSError:
        return False
