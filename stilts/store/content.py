"""FileFact: the bytes and SHA-256 of one file, by which a folder is told whole, torn or altered."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from stilts.errors import StoreError
from stilts.fingerprint import Json, file_digest
from stilts.store.layout import check_file

# hashlib lets other threads run; more than a few only compete for the disk.
_HASH_THREADS = 4
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_verified: set[tuple[int, int, int, int, str]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """A file inside a folder: relative path, bytes, and ``sha256:<64 hex>``."""

    path: str
    bytes: int
    sha256: str

    @classmethod
    def parse(cls, value: Json) -> FileFact:
        """The fact that ``as_json`` wrote; StoreError for anything else, and for a path that leaves its folder."""
        fields = value if isinstance(value, dict) else {}
        path, size, sha256 = fields.get("path"), fields.get("bytes"), fields.get("sha256")
        if (
            not isinstance(path, str)
            or type(size) is not int
            or not 0 <= size < 2**63
            or not isinstance(sha256, str)
            or _SHA256.fullmatch(sha256) is None
        ):
            raise StoreError("read the list of an artifact's files", f"it holds {str(value)[:80]!r}")
        return cls(path=check_file(path), bytes=size, sha256=sha256)

    def as_json(self) -> dict[str, Json]:
        """The fields as plain JSON."""
        return asdict(self)


def facts_of(folder: Path) -> tuple[FileFact, ...]:
    """The facts of every file below the folder, sorted by path; StoreError when it holds none."""
    paths = sorted(str(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise StoreError(
            f"store the folder {folder}", "it holds no files", "An empty artifact could not be told from a lost one"
        )
    with ThreadPoolExecutor(_HASH_THREADS) as pool:
        return tuple(pool.map(lambda path: _fact(folder, check_file(path)), paths))


def first_flaw(folder: Path, facts: Sequence[FileFact]) -> str | None:
    """What is wrong with the first missing or altered file, in words, or None when all are as described.

    A file that this process has hashed is not hashed again while its size, time and inode stay.
    """
    missing = (f'the file "{fact.path}" is missing' for fact in facts if not (folder / fact.path).is_file())
    flaw = next(missing, None)
    if flaw is not None:
        return flaw
    with ThreadPoolExecutor(_HASH_THREADS) as pool:
        flaws: Iterable[str | None] = pool.map(lambda fact: _flaw(folder, fact), facts)
        return next((flaw for flaw in flaws if flaw is not None), None)


def _fact(folder: Path, path: str) -> FileFact:
    file = folder / path
    stat = file.stat()
    sha256 = file_digest(file)
    _verified.add(_seen(stat, sha256))
    return FileFact(path=path, bytes=stat.st_size, sha256=sha256)


def _flaw(folder: Path, fact: FileFact) -> str | None:
    file = folder / fact.path
    try:
        stat = os.stat(file)
        if stat.st_size != fact.bytes:
            return f'the file "{fact.path}" has {stat.st_size} bytes instead of {fact.bytes}'
        if _seen(stat, fact.sha256) in _verified:
            return None
        if file_digest(file) != fact.sha256:
            return f'the file "{fact.path}" was altered (its SHA-256 differs)'
    except FileNotFoundError:
        return f'the file "{fact.path}" is missing'
    _verified.add(_seen(stat, fact.sha256))
    return None


def _seen(stat: os.stat_result, sha256: str) -> tuple[int, int, int, int, str]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, sha256
