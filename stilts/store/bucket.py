"""BucketBackend: a store in a bucket, or in any fsspec file system that can create an object only if it is absent.

fsspec's own ``pipe_file(mode="create")`` is a look followed by a write, which two rivals can both pass; only file
systems that bring their own are accepted (s3fs, gcsfs, memory).
"""

from __future__ import annotations

import errno
import inspect
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from stilts.addresses import without_secrets
from stilts.errors import MissingPackageError, StoreError, StoreUnavailableError
from stilts.shown import remark
from stilts.store.backend import Entry
from stilts.store.layout import check_deletable

T = TypeVar("T")

# fsspec's memory file system is one dict per process, and neither its "create" nor its reads are safe among threads.
_MEMORY_LOCK = threading.RLock()
# For how long a run waits for a bucket that does not answer, and how often it asks.
PATIENCE_S, _ASK_EVERY_S = 600.0, 5.0
# What that looks like, by the names of botocore's and aiohttp's classes (and Python's own), and by the system's word.
_NO_ANSWER = {"ConnectionError", "TimeoutError", "gaierror", "HTTPClientError", "ClientConnectionError"}
# s3fs makes EREMOTEIO of a server's internal error.
_NO_ANSWER_CODES = {
    getattr(errno, name, errno.EIO) for name in ("EIO", "EREMOTEIO", "EBUSY", "ENETUNREACH", "EHOSTUNREACH", "ENETDOWN")
}
_EXTRAS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}


class BucketBackend:
    """The ``Backend`` of a bucket URL such as ``s3://bucket/stilts``; a ``patient`` one waits for it to answer."""

    remote = True

    def __init__(self, url: str, *, patient: bool = False) -> None:
        self._patient, self._told = patient, False
        self.url = url.rstrip("/") if url.rstrip("/").partition("://")[2] else url  # memory:// stays an address
        self._fs, root = _open(url)
        self._root = root.rstrip("/")
        memory = url.startswith("memory:")
        self._guard: AbstractContextManager[object] = _MEMORY_LOCK if memory else nullcontext()

    def read(self, path: str) -> bytes | None:
        """See ``Backend``."""
        return self._or_none(f"read {path}", lambda: bytes(self._fs.cat_file(self._at(path))))

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        """See ``Backend``."""
        places = {self._at(path): path for path in paths}
        if not places:
            return {}
        found = self._do("read objects", lambda: self._present(list(places)))
        # The keys come back as the file system spells them, which may differ in a leading slash.
        spelled = {place.lstrip("/"): path for place, path in places.items()}
        return {spelled[str(place).lstrip("/")]: bytes(data) for place, data in found.items()}

    def exists(self, path: str) -> bool:
        """See ``Backend``."""
        self._forget()
        return self._or_none(f"look for {path}", lambda: self._fs.info(self._at(path))["type"] == "file") or False

    def create(self, path: str, data: bytes) -> bool:
        """See ``Backend``."""
        try:
            self._answer(lambda: self._fs.pipe_file(self._at(path), data, mode="create"))
        except FileExistsError:
            return False
        except Exception as error:
            return self._was_created(path, data, error)
        return True

    def replace(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """See ``Backend``."""
        self._do(f"write {path}", lambda: self._fs.pipe_file(self._at(path), data))

    def delete(self, path: str) -> None:
        """See ``Backend``."""
        check_deletable(self.url, path, whole_folder=False)
        self._or_none(f"delete {path}", lambda: self._fs.rm_file(self._at(path)))

    def delete_tree(self, path: str) -> None:
        """See ``Backend``."""
        check_deletable(self.url, path, whole_folder=True)
        self._forget()
        self._or_none(f"delete {path}", lambda: self._fs.rm(self._at(path), recursive=True))

    def move(self, path: str, to: str) -> None:
        """See ``Backend``; copies first, so that a kill between leaves both."""
        self._forget()
        self._or_none(f"move {path}", lambda: self._fs.mv(self._at(path), self._at(to), recursive=True))

    def names(self, path: str) -> Iterator[str]:
        """See ``Backend``."""
        return (entry.path for entry in self.walk(path))

    def walk(self, path: str) -> Iterator[Entry]:
        """See ``Backend``."""
        self._forget()
        base = self._at(path)
        found = self._or_none(f"list {path}", lambda: self._fs.find(base, detail=True)) or {}
        for name, facts in found.items():
            relative = name.lstrip("/")[len(base.lstrip("/")) + 1 :]
            yield Entry(path=relative, bytes=int(facts.get("size") or 0), modified=_modified(facts))

    def children(self, path: str) -> list[str]:
        """See ``Backend``."""
        self._forget()
        found = self._or_none(f"list {path}", lambda: self._fs.ls(self._at(path), detail=False)) or []
        return [name for name in (str(place).rstrip("/").rpartition("/")[2] for place in found) if name]

    def unlike_folders(self) -> dict[str, str]:
        """See ``Backend``: a bucket has no folders."""
        return {}

    def misplaced(self) -> dict[str, str]:
        """See ``Backend``: a bucket has no folders."""
        return {}

    def put(self, folder: Path, files: Iterable[str], path: str, *, keep: bool, alias: bool) -> None:
        """See ``Backend``."""
        names = list(files)
        sources = [str(folder / name) for name in names]
        self._do(f"upload to {path}", lambda: self._fs.put(sources, [self._at(f"{path}/{name}") for name in names]))

    def get(self, path: str, files: Iterable[str], folder: Path) -> None:
        """See ``Backend``."""
        present = set(self.names(path))
        names = [name for name in files if name in present]
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        sources = [self._at(f"{path}/{name}") for name in names]
        if names:
            self._do(f"download {path}", lambda: self._fs.get(sources, [str(folder / name) for name in names]))

    def local(self, path: str) -> Path | None:
        """See ``Backend``."""
        return None

    def _present(self, places: list[str]) -> dict[str, bytes]:
        """The bytes of those places that there are; one that could not be read is an error, and is not missing."""
        found = self._fs.cat(places, on_error="return")
        for value in found.values():
            if isinstance(value, Exception) and not isinstance(value, FileNotFoundError):
                raise value
        return {place: data for place, data in found.items() if not isinstance(data, Exception)}

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _forget(self) -> None:
        """Drops cached listings: other processes write here too."""
        self._fs.invalidate_cache()

    def _do(self, what: str, action: Callable[[], T]) -> T:
        """The action's value; whatever the file system raises comes as StoreError, a missing object as it is."""
        try:
            return self._answer(action)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise self._failed(what, error) from error

    def _answer(self, action: Callable[[], T]) -> T:
        """The action's value, or what the file system raises; where nobody answers it is asked again for a while."""
        until = time.monotonic() + (PATIENCE_S if self._patient else 0.0)
        while True:
            try:
                with self._guard:
                    found = action()
            except Exception as error:
                if not _is_no_answer(error) or time.monotonic() >= until:
                    raise
                self._tell(error)
                time.sleep(_ASK_EVERY_S)
            else:
                self._told = False
                return found

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            found = without_secrets(f"{type(error).__name__}: {error}", self.url)
            remark(f"The store {self.url} does not answer ({found}): asking again for {PATIENCE_S / 60:.0f} minutes.")

    def _or_none(self, what: str, action: Callable[[], T]) -> T | None:
        try:
            return self._do(what, action)
        except FileNotFoundError:
            return None

    def _failed(self, what: str, error: Exception) -> StoreUnavailableError:
        found = without_secrets(f"{type(error).__name__}: {error}", self.url)
        return StoreUnavailableError(
            f"{what} in the store {self.url}",
            found,
            "What is done stays done",
            "Check the network, the bucket and your credentials, and type the same command again",
        )

    def _was_created(self, path: str, data: bytes, error: Exception) -> bool:
        """After a failed create: a lost reply may hide a success, and some services answer otherwise."""
        present = self.read(path)
        if present is None:
            raise self._failed(f"create {path}", error) from error
        return present == data


def _open(url: str) -> tuple[Any, str]:
    import fsspec

    protocol = url.partition("://")[0]
    try:
        # Asked of the class: making one of some kinds already connects to their server.
        if not _creates_conditionally(fsspec.get_filesystem_class(protocol)):
            raise cannot_create(url)
        fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        package = _EXTRAS.get(protocol, protocol)
        raise MissingPackageError(
            f"open the store {url}",
            str(error),
            f"Stores on {protocol}:// need it",
            f"Install it: pip install {package}",
        ) from error
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(
            f"open the store {url}",
            without_secrets(f"{type(error).__name__}: {error}", url),
            "",
            "Check the URL and your credentials",
        ) from error
    return fs, str(root)


def cannot_create(url: str) -> StoreError:
    """The error for a place where two rivals could both believe that they were first."""
    return StoreError(
        f"open the store {url}",
        "this file system cannot create a file only if it is absent",
        "Two processes could then publish or run the same stage at once",
        "Use a folder on a file system with hard links, or an s3:// or gs:// URL with a recent s3fs or gcsfs",
    )


def _creates_conditionally(kind: Any) -> bool:
    from fsspec.asyn import AsyncFileSystem
    from fsspec.spec import AbstractFileSystem

    if issubclass(kind, AsyncFileSystem):
        return "mode" in inspect.signature(kind._pipe_file).parameters
    return kind.pipe_file is not AbstractFileSystem.pipe_file


def _is_no_answer(error: Exception) -> bool:
    """Whether this is the network's fault or the server's, which may pass."""
    names = {one.__name__ for one in type(error).__mro__}
    return bool(names & _NO_ANSWER) or (isinstance(error, OSError) and error.errno in _NO_ANSWER_CODES)


def _modified(facts: dict[str, Any]) -> float:
    """Unix seconds of an object's last writing, whichever of fsspec's spellings it has; 0 where none is known."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = facts.get(name)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, datetime):
            return float(value.timestamp())
    return 0.0
