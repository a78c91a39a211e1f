"""LocalBackend: a store in a folder, on any file system with hard links (ext4, xfs, APFS, NFS and the like).

A new object is written to ``tmp/``, synced, and hard-linked to its name: the link fails where the name exists, so one
rival wins and readers see the whole object or none. Replacing is a rename.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from stilts.store.backend import Entry
from stilts.store.layout import TEMP

_READ_ONLY = 0o444


class LocalBackend:
    """The ``Backend`` of a folder on this machine, or on a file system shared with others."""

    remote = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)
        (root / TEMP).mkdir(parents=True, exist_ok=True)

    def read(self, path: str) -> bytes | None:
        """See ``Backend``."""
        try:
            return self._at(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        """See ``Backend``."""
        found = ((path, self.read(path)) for path in paths)
        return {path: data for path, data in found if data is not None}

    def exists(self, path: str) -> bool:
        """See ``Backend``."""
        return os.path.isfile(self._at(path))

    def create(self, path: str, data: bytes) -> bool:
        """See ``Backend``."""
        target, temp = self._at(path), self._temp()
        _write(temp, data, durable=True)
        try:
            return self._link(temp, target)
        finally:
            os.unlink(temp)

    def replace(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """See ``Backend``."""
        target, temp = self._at(path), self._temp()
        _write(temp, data, durable=durable)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temp, target)
        if durable:
            _sync_folder(target.parent)

    def delete(self, path: str) -> None:
        """See ``Backend``."""
        self._at(path).unlink(missing_ok=True)

    def delete_tree(self, path: str) -> None:
        """See ``Backend``; the folder leaves its place at once, its files follow."""
        trash = self._temp()
        try:
            os.rename(self._at(path), trash)
        except FileNotFoundError:
            return
        shutil.rmtree(trash)

    def names(self, path: str) -> Iterator[str]:
        """See ``Backend``."""
        return (entry.path[len(base) + 1 :] for base in [str(self._at(path))] for entry in _scan(base))

    def walk(self, path: str) -> Iterator[Entry]:
        """See ``Backend``."""
        base = str(self._at(path))
        for entry in _scan(base):
            try:
                stat = entry.stat()
            except FileNotFoundError:
                continue  # deleted by another process since it was listed
            yield Entry(path=entry.path[len(base) + 1 :], bytes=stat.st_size, modified=stat.st_mtime)

    def children(self, path: str) -> list[str]:
        """See ``Backend``."""
        try:
            return os.listdir(self._at(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def put(self, folder: Path, files: Iterable[str], path: str, *, keep: bool, alias: bool) -> None:
        """See ``Backend``; what may share storage is made read only, for writing to it would alter the store."""
        for name in files:
            source, target = folder / name, self._at(f"{path}/{name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not (_linked(source, target) if alias else not keep and _moved(source, target)):
                shutil.copyfile(source, target)
            if alias:
                target.chmod(_READ_ONLY)
            _sync(target)
            _sync_folder(target.parent)

    def get(self, path: str, files: Iterable[str], folder: Path) -> None:
        """See ``Backend``."""
        for name in files:
            if self.exists(f"{path}/{name}"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._at(f"{path}/{name}"), folder / name)

    def local(self, path: str) -> Path | None:
        """See ``Backend``."""
        return self._at(path)

    def _at(self, path: str) -> Path:
        return self.root / path

    def _temp(self) -> Path:
        return self.root / TEMP / uuid.uuid4().hex

    def _link(self, temp: Path, target: Path) -> bool:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(temp, target)
        except FileExistsError:
            # NFS may carry out a link, lose the reply, and refuse the repetition: the count of links tells.
            return os.stat(temp).st_nlink > 1
        _sync_folder(target.parent)
        return True


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        if durable:
            os.fsync(stream.fileno())


def _scan(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files below the folder; folders that vanish meanwhile are passed over."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _scan(entry.path)
        else:
            yield entry


def _linked(source: Path, target: Path) -> bool:
    """Whether the file could be hard-linked. One with other names is not: they would become read only too."""
    if source.is_symlink() or source.stat().st_nlink > 1:
        return False
    try:
        os.link(source, target)
    except OSError:  # another file system, or too many links: the caller copies
        return False
    return True


def _moved(source: Path, target: Path) -> bool:
    if source.is_symlink():
        return False
    try:
        os.rename(source, target)
    except OSError:  # another file system: the caller copies
        return False
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_sync_folder = _sync
