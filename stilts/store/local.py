"""LocalBackend: a store in a folder, on any file system with hard links (ext4, xfs, APFS, NFS and the like).

A new object is written to ``tmp/``, synced, and hard-linked to its name: the link fails where the name exists, so one
rival wins and readers see the whole object or none. Replacing is a rename. Opening and reading write nothing.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from stilts.errors import DamagedError, StoreUnavailableError
from stilts.store.backend import Entry
from stilts.store.layout import new_temp
from stilts.store.place import Place

_READ_ONLY = 0o444
F = TypeVar("F", bound=Callable[..., Any])


def _reached(method: F) -> F:
    """The method; whatever the file system refuses comes as StoreUnavailableError."""

    @wraps(method)
    def reach(self: LocalBackend, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except OSError as error:
            raise unavailable(self.url, error) from error

    return reach  # type: ignore[return-value]


class LocalBackend:
    """The ``Backend`` of a folder on this machine, or on a file system shared with others."""

    remote = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)
        self.place = Place(root)

    @_reached
    def read(self, path: str) -> bytes | None:
        """See ``Backend``."""
        return self.place.read(path)

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        """See ``Backend``."""
        found = ((path, self.read(path)) for path in paths)
        return {path: data for path, data in found if data is not None}

    @_reached
    def exists(self, path: str) -> bool:
        """See ``Backend``."""
        return self.place.has_file(path)

    @_reached
    def create(self, path: str, data: bytes) -> bool:
        """See ``Backend``."""
        target, temp = self.place.inside(path), self._temp()
        try:
            _write(temp, data, durable=True)
            return self._link(temp, target)
        finally:
            temp.unlink(missing_ok=True)

    @_reached
    def replace(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """See ``Backend``."""
        target, temp = self.place.inside(path), self._temp()
        try:
            _write(temp, data, durable=durable)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temp, target)
        finally:
            temp.unlink(missing_ok=True)
        if durable:
            _sync_folder(target.parent)

    @_reached
    def delete(self, path: str) -> None:
        """See ``Backend``."""
        self.place.delete_file(path)

    @_reached
    def delete_tree(self, path: str) -> None:
        """See ``Backend``; the folder leaves its place at once, its files follow."""
        self.place.delete_tree(path)

    @_reached
    def move(self, path: str, to: str) -> None:
        """See ``Backend``; a link is moved as it is. What lies in a folder's place on the way is moved instead."""
        try:
            source = self.place.inside(path)
        except DamagedError as error:
            path, to = error.file, f"{to.removesuffix(path)}{error.file}"
            source = self.place.inside(path)
        if os.path.lexists(source):
            target = self.place.inside(to)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(source, target)

    def names(self, path: str) -> Iterator[str]:
        """See ``Backend``."""
        return (entry.path[len(base) + 1 :] for base in [str(self.place.at(path))] for entry in self._scan(base))

    def walk(self, path: str) -> Iterator[Entry]:
        """See ``Backend``."""
        base = str(self.place.at(path))
        for entry in self._scan(base):
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted by another process since it was listed
            yield Entry(path=entry.path[len(base) + 1 :], bytes=facts.st_size, modified=facts.st_mtime)

    @_reached
    def children(self, path: str) -> list[str]:
        """See ``Backend``."""
        try:
            return os.listdir(self.place.at(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    @_reached
    def unlike_folders(self) -> dict[str, str]:
        """See ``Backend``."""
        return self.place.unlike_folders()

    @_reached
    def misplaced(self) -> dict[str, str]:
        """See ``Backend``."""
        return self.place.misplaced()

    @_reached
    def put(self, folder: Path, files: Iterable[str], path: str, *, keep: bool, alias: bool) -> None:
        """See ``Backend``; what may share storage is made read only, for writing to it would alter the store."""
        for name in files:
            source, target = folder / name, self.place.inside(f"{path}/{name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not (_linked(source, target) if alias else not keep and _moved(source, target)):
                shutil.copyfile(source, target)
            if alias:
                target.chmod(_READ_ONLY)
            _sync(target)
            _sync_folder(target.parent)

    @_reached
    def get(self, path: str, files: Iterable[str], folder: Path) -> None:
        """See ``Backend``."""
        for name in files:
            if self.exists(f"{path}/{name}"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.place.at(f"{path}/{name}"), folder / name)

    def local(self, path: str) -> Path | None:
        """See ``Backend``."""
        return self.place.inside(path)

    def _temp(self) -> Path:
        temp = self.place.inside(new_temp())
        temp.parent.mkdir(parents=True, exist_ok=True)
        return temp

    def _link(self, temp: Path, target: Path) -> bool:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(temp, target)
        except FileExistsError:
            # NFS may carry out a link, lose the reply, and refuse the repetition: the count of links tells.
            return os.stat(temp).st_nlink > 1
        _sync_folder(target.parent)
        return True

    def _scan(self, base: str) -> Iterator[os.DirEntry[str]]:
        """All files below the folder, links among them; folders that vanish meanwhile are passed over.

        So are those too deep for a path of the system: no name of the store's own leads there.
        """
        waiting = [] if os.path.islink(base) else [base]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    found = list(entries)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    continue
                raise unavailable(self.url, error) from error
            waiting += [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
            yield from (entry for entry in found if not entry.is_dir(follow_symlinks=False))


def unavailable(url: str, error: OSError) -> StoreUnavailableError:
    """The error for a file system that refuses: full, read only, gone, without permission."""
    path = error.filename2 or error.filename  # of two, the second is the one that is written to
    where = f" ({path})" if path else ""
    return StoreUnavailableError(
        f"store {url}",
        f"{error.strerror or error}{where}",
        "What is done stays done",
        "Make room, or mend the access, and type the same command again: it goes on from here",
    )


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        if durable:
            os.fsync(stream.fileno())


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
