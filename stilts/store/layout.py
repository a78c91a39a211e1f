"""Where everything lies in a store, which names are allowed, and the version of this arrangement.

    LAYOUT                                  {"sha256", "version", "id"}; written once, by the run that made the store
    stages/<key>/done.json                  payload, result, files with bytes and sha256; it alone makes a key done
    stages/<key>/gone.json                  the files were dropped; why and when
    stages/<key>/done.1.json, gone.1.json   the files were made again, and so on; the first result stays
    files/<key>/<attempt>/...               the files of one attempt to publish; litter unless a done.json names it
    leases/<name>/<generation>.json         who holds it, and the last heartbeat; the highest generation counts
    leases/<name>/<generation>.released     given back; never undone
    progress/<stage id>/<number>.json       a checkpoint's files with bytes and sha256, written last
    progress/<stage id>/<number>-<attempt>/...
    records/<name>.json
    damaged/<token>/<path>                  what "stilts mend" set aside, as it lay in the store
    cache/                                  encoded data; made again when lost
    spool/                                  what older versions kept of MLflow's outages; read by nobody
    tmp/<token>                             half-written files of local stores
    optuna.db                               what Optuna's own tools show of searches; made again when lost

Files lie apart from ``done.json`` so that one listing of ``stages/`` in a bucket holds small objects only. Every JSON
object but a lease's begins with its seal (``seal.py``). Whatever has another name is a stray: never read, never
deleted, told by ``gc`` and ``mend``.
"""

from __future__ import annotations

import re
import uuid

from stilts.errors import DamagedError, NewerError, StoreError

# 1: without seals; 2: with them.
LAYOUT_VERSION = 2

LAYOUT = "LAYOUT"
STAGES, FILES, LEASES, PROGRESS, RECORDS, TEMP = "stages", "files", "leases", "progress", "records", "tmp"
CACHE, SPOOL, DAMAGED = "cache", "spool", "damaged"
# Optuna's storage, and what SQLite keeps beside it while it writes.
SEARCHES = ("optuna.db", "optuna.db-journal", "optuna.db-wal", "optuna.db-shm")
FOLDERS = (STAGES, FILES, LEASES, PROGRESS, RECORDS, TEMP, CACHE, SPOOL, DAMAGED)
# All that stilts puts into the place of a store itself.
OWN = frozenset((LAYOUT, *FOLDERS, *SEARCHES))
# Those in which the store's own names lie at fixed depths.
OBJECT_FOLDERS = (STAGES, FILES, LEASES, PROGRESS, RECORDS)
# What file managers and file systems leave in folders that are otherwise empty.
STRAYS = frozenset((".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"))

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@,~-]*")
# 255 bytes is the longest file name on the usual file systems; the rest is for suffixes.
_LONGEST_PART = 200
_STAGE_ID = re.compile(r"(?:train|evaluate|estimate)-.+-[0-9a-f]{12}")
_TOKEN = re.compile(r"attempt-[0-9a-f]{16}")
_STATE = re.compile(r"(done|gone)(?:\.(\d{1,9}))?\.json")
_LEASE = re.compile(r"\d{8,18}\.(?:json|released)")
_MANIFEST = re.compile(r"(\d{8,18})\.json")
_CHECKPOINT = re.compile(r"\d{8,18}-[0-9a-f]{16}")
_TEMP = re.compile(r"[0-9a-f]{32}")
# The most bytes that an object is read with, far above what any study writes: a record of 25,000 replicates takes
# 30 MB, a stage's payload and result less than one. What is larger is not parsed.
_MOST_BYTES = {LAYOUT: 2**16, LEASES: 2**16, STAGES: 2**26, PROGRESS: 2**26, RECORDS: 2**29}


def most_bytes(path: str) -> int:
    """The most bytes with which the object at the path is read."""
    return _MOST_BYTES.get(path.partition("/")[0], 2**26)


def check_key(key: str) -> str:
    """The artifact's key as it is; StoreError unless it is one safe name, or two with a slash between."""
    _check("artifact key", key, most_parts=2)
    if any(is_token(part) for part in key.split("/")):
        raise StoreError(
            f'artifact key "{key}"', "it is spelled like the folder of an attempt to publish", "", "Rename it"
        )
    return key


def is_key(key: str) -> bool:
    """Whether ``check_key`` takes the key."""
    return _fits(key, most_parts=2) and not any(map(is_token, key.split("/")))


def check_stage(name: str) -> str:
    """The name of a stage, or of its lease, as it is; StoreError unless it is one safe name."""
    return _check("stage name", name, most_parts=1)


def is_stage(name: str) -> bool:
    """Whether ``check_stage`` takes the name."""
    return _fits(name, most_parts=1)


def check_record(name: str) -> str:
    """The record's name as it is; StoreError unless it is safe names with slashes between."""
    return _check("record name", name, most_parts=12)


def is_record(name: str) -> bool:
    """Whether ``check_record`` takes the name."""
    return _fits(name, most_parts=12)


def check_file(path: str) -> str:
    """A file's path inside an artifact as it is; StoreError where it is absolute or leaves the folder."""
    parts = path.split("/")
    if not path or "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise StoreError(
            f'file "{path}" of an artifact', "the path is not one inside a folder", "It could overwrite other files"
        )
    return path


def done_path(key: str, generation: int = 0) -> str:
    """The object that says: published (for the ``generation``-th time, counted from 0)."""
    return f"{STAGES}/{key}/" + ("done.json" if generation == 0 else f"done.{generation}.json")


def gone_path(key: str, generation: int = 0) -> str:
    """The object that says: the files of that generation were dropped."""
    return f"{STAGES}/{key}/" + ("gone.json" if generation == 0 else f"gone.{generation}.json")


def parse_state(name: str) -> tuple[str, int] | None:
    """("done" or "gone", generation) of a file name below ``stages/<key>/``, or None for any other."""
    match = _STATE.fullmatch(name)
    return (match[1], int(match[2] or 0)) if match else None


def new_token() -> str:
    """A name for one attempt to publish, unlike any other and unlike any key."""
    return f"attempt-{uuid.uuid4().hex[:16]}"


def is_token(part: str) -> bool:
    """Whether a part of a path is the folder of an attempt."""
    return _TOKEN.fullmatch(part) is not None


def attempt_path(key: str, token: str) -> str:
    """The folder of one attempt to publish."""
    return f"{FILES}/{key}/{token}"


def split_attempt(path: str) -> tuple[str, str] | None:
    """(key, token) of ``<key>/<token>`` or anything below it, as it lies below ``files/``; None for a stray."""
    parts = path.split("/")
    for depth in (1, 2):
        if len(parts) > depth and is_token(parts[depth]) and is_key("/".join(parts[:depth])):
            return "/".join(parts[:depth]), parts[depth]
    return None


def manifest_number(name: str) -> int | None:
    """The number of a checkpoint's manifest, as it is named below ``progress/<stage id>/``; None for any other name."""
    match = _MANIFEST.fullmatch(name)
    return int(match[1]) if match else None


def is_checkpoint(name: str) -> bool:
    """Whether a name below ``progress/<stage id>/`` is a checkpoint's folder."""
    return _CHECKPOINT.fullmatch(name) is not None


def new_temp() -> str:
    """A name for something half-written."""
    return f"{TEMP}/{uuid.uuid4().hex}"


def is_temp(name: str) -> bool:
    """Whether a name below ``tmp/`` is one that ``new_temp`` gives."""
    return _TEMP.fullmatch(name) is not None


def record_path(name: str) -> str:
    """The object of a record."""
    return f"{RECORDS}/{name}.json"


def is_object(path: str) -> bool:
    """Whether stilts itself makes an object of this name: LAYOUT, a state, a lease, a manifest or a record."""
    folder, _, rest = path.partition("/")
    above, _, name = rest.rpartition("/")
    if folder == STAGES:
        return is_key(above) and parse_state(name) is not None
    if folder == LEASES:
        return is_stage(above) and _LEASE.fullmatch(name) is not None
    if folder == PROGRESS:
        return is_stage(above) and manifest_number(name) is not None
    if folder == RECORDS:
        return rest.endswith(".json") and is_record(rest.removesuffix(".json"))
    return path == LAYOUT or (folder == TEMP and is_temp(rest))


def is_tree(path: str) -> bool:
    """Whether stilts itself makes a folder of this name: an attempt, a checkpoint, something half-written."""
    folder, _, rest = path.partition("/")
    if folder == FILES:
        attempt = split_attempt(rest)
        return attempt is not None and rest == "/".join(attempt)
    if folder == PROGRESS:
        stage, _, name = rest.partition("/")
        return is_stage(stage) and is_checkpoint(name)
    return folder == TEMP and is_temp(rest)


def is_folder_name(path: str) -> bool:
    """Whether stilts makes a folder of this name to keep objects or attempts in: of a stage, of a key, of records."""
    folder, _, rest = path.partition("/")
    if folder == RECORDS:
        return is_record(rest) and "." not in rest.rpartition("/")[2]
    keys = is_key(rest) if folder in (STAGES, FILES) else is_stage(rest)
    return (
        folder in OBJECT_FOLDERS
        and not is_object(path)
        and keys
        and _STAGE_ID.fullmatch(rest.partition("/")[0]) is not None
    )


def check_deletable(url: str, path: str, *, whole_folder: bool) -> None:
    """Raises StoreError unless stilts makes an object, or a folder, of this name: nothing else is deleted."""
    if not (is_tree(path) if whole_folder else is_object(path)):
        raise StoreError(
            f"delete {path} from the store {url}",
            "it is nothing that stilts makes",
            "A store deletes only what is its own",
            "Delete it yourself if it may go",
        )


def check_version(version: object) -> int:
    """The layout's version; NewerError for one that this stilts does not know, DamagedError where it is none at all."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DamagedError(LAYOUT, f"it names no version ({str(version)[:40]!r})")
    if version > LAYOUT_VERSION:
        shown = version if version < 10**9 else "of no number that is given"
        raise NewerError(LAYOUT, f"it has layout {shown}, this one knows {LAYOUT_VERSION}")
    return version


def _check(what: str, name: str, *, most_parts: int) -> str:
    if not _fits(name, most_parts=most_parts):
        raise StoreError(
            f'{what} "{name}"',
            f"it is not at most {most_parts} name(s) of letters, digits and _.+=@,~- with slashes between",
            "Names become paths of files and objects, on every system",
            "Rename the study, row or task that it is made of",
        )
    return name


def _fits(name: str, *, most_parts: int) -> bool:
    parts = name.split("/")
    return len(parts) <= most_parts and all(
        _PART.fullmatch(part) and len(part.encode()) <= _LONGEST_PART for part in parts
    )
