"""Content hashes of data files, each file hashed once per process as long as it stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from stilts.fingerprint import file_digest, text_digest


def files_fingerprint(paths: Sequence[Path]) -> str:
    """``sha256:<64 hex>`` of the files' bytes: of the one file, or of the digests of several in the order given."""
    digests = [_current_digest(path) for path in paths]
    return digests[0] if len(digests) == 1 else "sha256:" + text_digest(*digests)


def _current_digest(path: Path) -> str:
    state = path.stat()
    # With the inode and its own time: a copy in the file's place may have its size, and the old time by request.
    return _digest(path, state.st_size, state.st_mtime_ns, state.st_ino, state.st_ctime_ns)


@lru_cache(maxsize=4096)
def _digest(path: Path, *state: int) -> str:
    return file_digest(path)
