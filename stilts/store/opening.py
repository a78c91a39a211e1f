"""Opening a store, and making one: what makes a folder or a prefix of a bucket a store of stilts.

A store is a place that stilts made: its ``LAYOUT`` says so. It is written once, by ``make_store`` (which a run calls,
and a rebuild), and only into a place that is new or empty. Everything else refuses a place without it, and opening
writes nothing.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from stilts.errors import DamagedError, StoreError, StoreUnavailableError
from stilts.store.backend import Backend
from stilts.store.bucket import BucketBackend, cannot_create
from stilts.store.cache_files import user_cache
from stilts.store.documents import Documents
from stilts.store.download import Downloads
from stilts.store.layout import FOLDERS, LAYOUT, LAYOUT_VERSION, STRAYS, TEMP, check_version, is_temp
from stilts.store.lease import Leases
from stilts.store.local import LocalBackend, unavailable
from stilts.store.seal import is_sealed, parse, unseal
from stilts.store.store import Store

# What a file system without hard links answers to a link.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
# A name that is too long, a file on the way, a circle of links.
_NO_PLACE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)
# What a LAYOUT begins with, and more bytes than one has: by this a torn one is told from what is somebody else's.
_SEAL, _LONGEST_LAYOUT = b'{"sha256":"', 512
_ID = re.compile(r"[0-9a-f]{32}")
_SHOWN = 5


def open_store(
    url: str,
    *,
    scratch_dir: Path | None = None,
    cache_dir: Path | None = None,
    lease_ttl_s: float = 60.0,
    heartbeat_s: float = 5.0,
    patient: bool = False,
    job: str = "",
) -> Store:
    """The store at a local path, a ``file://`` URL or a bucket URL (s3://, gs://, memory://). Writes nothing.

    ``scratch_dir`` takes short-lived files (the system's temporary folder), ``cache_dir`` the downloads of a bucket
    (``$XDG_CACHE_HOME/stilts`` or ``~/.cache/stilts``). A lease without a heartbeat for ``lease_ttl_s`` is free.
    ``patient``: a bucket that does not answer is asked again for some minutes. ``job`` is told of whoever holds
    a lease: the Ray job that this process works for.
    StoreError for a place that is no store, NewerError for a store of a newer layout, and StoreError for a file system
    that cannot decide between two writers.
    """
    backend = place_of(str(url), patient=patient)
    version = layout_version(backend)
    if version is None:
        raise no_store(backend)
    for name, found in backend.unlike_folders().items():
        raise DamagedError(name, found)
    options: dict[str, object] = {
        "scratch_dir": scratch_dir,
        "cache_dir": cache_dir,
        "lease_ttl_s": lease_ttl_s,
        "heartbeat_s": heartbeat_s,
        "patient": patient,
        "job": job,
    }
    return Store(
        backend,
        Documents(backend, required=version >= 2),
        Downloads(
            backend,
            cache_dir=cache_dir or user_cache("store"),
            scratch_dir=scratch_dir or Path(tempfile.gettempdir()),
        ),
        Leases(backend, ttl_s=lease_ttl_s, heartbeat_s=heartbeat_s, job=job),
        reopen=lambda: (open_store, url, options),
    )


def make_store(
    url: str,
    *,
    scratch_dir: Path | None = None,
    cache_dir: Path | None = None,
    lease_ttl_s: float = 60.0,
    heartbeat_s: float = 5.0,
) -> Store:
    """As ``open_store``, and makes the store in a place that is new or empty; StoreError where other things lie."""
    backend = place_of(str(url))
    if layout_version(backend) is None:
        _check_empty(backend)
        write_layout(backend)
    return open_store(
        url, scratch_dir=scratch_dir, cache_dir=cache_dir, lease_ttl_s=lease_ttl_s, heartbeat_s=heartbeat_s
    )


def find_store(url: str) -> Store | None:
    """The store at an address, None where the place is new or empty; StoreError where other things lie there."""
    backend = place_of(str(url))
    if layout_version(backend) is None:
        _check_empty(backend)
        return None
    return open_store(url)


def layout_version(backend: Backend) -> int | None:
    """The version of the store's layout, or None where there is no LAYOUT and so no store.

    DamagedError where the LAYOUT is not as stilts makes it.
    """
    data = backend.read(LAYOUT)
    if data is None:
        return None
    fields = parse(LAYOUT, unseal(LAYOUT, data, required=False))
    version, store_id = check_version(fields.get("version")), fields.get("id")
    if not isinstance(store_id, str) or _ID.fullmatch(store_id) is None:
        raise DamagedError(LAYOUT, "it does not name a store")
    if version >= 2 and not is_sealed(data):
        raise DamagedError(LAYOUT, "it has no checksum")
    return version


def write_layout(backend: Backend) -> None:
    """Creates the LAYOUT; a second, refused creation proves that the place can decide between two writers."""
    documents = Documents(backend, required=True)
    try:
        documents.create(LAYOUT, {"version": LAYOUT_VERSION, "id": uuid.uuid4().hex})
        if documents.create(LAYOUT, {"version": LAYOUT_VERSION, "id": uuid.uuid4().hex}):
            raise cannot_create(backend.url)
    except StoreUnavailableError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_LINKS:
            raise cannot_create(backend.url) from error
        raise


def _check_empty(backend: Backend) -> None:
    """Raises StoreError where the place holds anything but what a killed ``make_store`` leaves."""
    found = sorted(set(backend.children("")) - STRAYS)
    if LAYOUT in found:
        return  # another run made the store meanwhile
    if found == [TEMP] and _is_left_by_making(backend):
        return
    if found:
        raise StoreError(
            f"make a store in {backend.url}",
            f"other things lie there: {_listed(found)}",
            "A store is made only in a place that is new or empty, so that nothing in it is anybody else's",
            "Name another place with --store or STILTS_STORE",
        )


def _is_left_by_making(backend: Backend) -> bool:
    """Whether in ``tmp/`` lies nothing but unfinished LAYOUTs; folders and files of others stay theirs."""
    names = backend.children(TEMP)
    if not all(map(is_temp, names)) or set(backend.names(TEMP)) != set(names):
        return False
    try:
        bodies = [backend.read(f"{TEMP}/{name}") or b"" for name in names]
    except DamagedError:
        return False
    return all(len(body) < _LONGEST_LAYOUT and (body.startswith(_SEAL) or _SEAL.startswith(body)) for body in bodies)


def no_store(backend: Backend) -> StoreError:
    """The error for a place without a LAYOUT: it names what lies there."""
    found = backend.children("")
    if isinstance(backend, LocalBackend) and not backend.root.is_dir():
        what = "there is no such folder"
    else:
        what = f"it has no {LAYOUT}" + (f"; in it are {_listed(sorted(found))}" if found else "")
    lost = set(found) >= set(FOLDERS[:3])
    return StoreError(
        f"store {backend.url}",
        f"{what}, so it is no store of stilts",
        "stilts reads and changes only what it made itself",
        'If its LAYOUT was lost, "stilts mend STUDY" writes it again'
        if lost
        else 'Give --store, or set STILTS_STORE; "stilts run STUDY" makes a store in a new or empty place',
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f'"{name}"' for name in names[:_SHOWN]) + more


def place_of(url: str, *, patient: bool = False) -> Backend:
    """The place at an address, be it a store or none; StoreError for an address that cannot be one."""
    protocol, separator, path = url.partition("://")
    if not separator or protocol in ("file", "local"):
        if not path.startswith("/") if separator else url.startswith(("file:", "local:")):
            raise StoreError(
                f"open the store {url}",
                "the URL names no folder of this machine",
                "",
                "Give a path: file:///data/store",
            )
        return LocalBackend(_root(url, unquote(path) if separator else url))
    if "::" in url:
        raise StoreError(
            f"open the store {url}",
            "it is a chain of file systems",
            "",
            "Name the bucket itself, like s3://bucket/path",
        )
    return BucketBackend(url, patient=patient)


def _root(url: str, path: str) -> Path:
    """The folder of a local address, there or not; StoreError where no folder can be."""
    asked = f"open the store {url}"
    try:
        root = Path(path).expanduser().absolute()
        if ".." in root.parts:  # "nowhere/.." would be there as soon as "nowhere" is made, and may be anybody's
            root = Path(os.path.realpath(root))
        is_there = _is_there(root)
    except (ValueError, RuntimeError) as error:  # a NUL in it, or a user that there is not
        raise StoreError(asked, f"no folder can have this name ({error})", "", "Name a folder") from error
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise unavailable(url, error) from error
        raise StoreError(asked, f"no folder can be there ({error.strerror})", "", "Name a folder") from error
    if is_there and not root.is_dir():
        found = "it is a link that leads to no folder" if root.is_symlink() else "it is a file, not a folder"
        raise StoreError(asked, found, "", "Name a folder")
    return root


def _is_there(root: Path) -> bool:
    try:
        os.lstat(root)
    except FileNotFoundError:
        return False
    return True
