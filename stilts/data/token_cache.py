"""Tokenized views on disk, mapped into memory: a view is tokenized once.

The key is the content: the view's payload, the tokenizer's fingerprint, lengths, labels and ``ENCODE_VERSION``. Nothing
is believed unread: an entry that is damaged, altered, torn, made under another key or by an older version is made anew,
without a word (``token_entry``). A file is written under another name and renamed, so that two processes may tokenize
the same view at once.

A cache is a convenience. Where it cannot be read or written (a full disk, a folder that is read-only, that is a symlink
or whose parent is one, a folder in an entry's place), the view is tokenized in memory.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stilts.data.encode import ENCODE_VERSION
from stilts.data.encoded import Encoded
from stilts.data.token_entry import read_entry, write_entry
from stilts.fingerprint import ID_HEX, canonical_json
from stilts.tasks.view import DataView

# A folder that is a symlink is not followed: it may lead anywhere, and what is written would land there.
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for a writer.
_ENTRY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PART = re.compile(r"[0-9a-f]{12}\.[0-9a-f]{32}\.part")
# No view takes so long to be written: a part of that age was left by a process that was killed.
_PART_LIVES_S = 24 * 3600


def cache_key(
    view: DataView,
    tokenizer: str,
    labels: Sequence[str],
    max_length: int,
    doc_stride: int,
    lengths: Sequence[int | None] = (None, None),
    encode_version: int = 1,
) -> str:
    """What decides the encoded arrays of a view, as 64 hex digits; ``lengths`` are a query's and a candidate's.

    ``encode_version`` is that of the kind.
    """
    own = [] if lengths == (None, None) else list(lengths)
    versions = [ENCODE_VERSION, encode_version]
    payload = [versions, view.payload(), tokenizer, list(labels), max_length, doc_stride, *own]
    return hashlib.sha256(canonical_json(payload).encode()).hexdigest()


def cached(folder: Path | None, key: str, make: Callable[[], Encoded]) -> Encoded:
    """The encoded view under ``key``, made, and written if the folder allows, where no whole entry is there."""
    if folder is None:
        return make()
    found = _read(folder, key)
    if found is not None:
        return found
    made = make()
    try:
        _write(folder, key, made)
    except OSError:  # no room, no permission, or something that is not ours in its place
        return made
    return _read(folder, key) or made


def _read(folder: Path, key: str) -> Encoded | None:
    """The entry as it lies there; None where there is none that agrees with its seal and its key."""
    try:
        with _opened(folder) as place:
            descriptor = os.open(_name(key), _ENTRY, dir_fd=place)
        try:
            return read_entry(descriptor, key)
        finally:
            os.close(descriptor)
    except Exception:  # OSError: nothing there; else whatever Arrow raises for a form that it does not know
        return None


def _write(folder: Path, key: str, encoded: Encoded) -> None:
    """Puts a whole entry in its place, on disk before it has its name; OSError where that cannot be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _opened(folder, make=True) as place:
        _drop_old_parts(place)
        part = f"{key[:ID_HEX]}.{uuid.uuid4().hex}.part"
        try:
            with os.fdopen(os.open(part, _NEW, 0o666, dir_fd=place), "wb") as stream:
                write_entry(stream, key, encoded)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, _name(key), src_dir_fd=place, dst_dir_fd=place)
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


def _drop_old_parts(place: int) -> None:
    """Takes away what killed processes left half-written; only plain files that are named as ours are."""
    for name in os.listdir(place):
        if _PART.fullmatch(name):
            with suppress(OSError):
                status = os.stat(name, dir_fd=place, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > _PART_LIVES_S:
                    os.unlink(name, dir_fd=place)


def _name(key: str) -> str:
    return f"{key[:ID_HEX]}.arrow"
