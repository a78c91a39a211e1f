"""Where everything lies in a store, which names are allowed, and the version of this arrangement.

    LAYOUT                                  {"version": 1}
    stages/<key>/done.json                  payload, result, files with bytes and sha256; it alone makes a key done
    stages/<key>/gone.json                  the files were dropped; why and when
    stages/<key>/done.1.json, gone.1.json   the files were made again, and so on; the first result stays
    files/<key>/<attempt>/...               the files of one attempt to publish; litter unless a done.json names it
    leases/<name>/<generation>.json         who holds it, and the last heartbeat; the highest generation counts
    leases/<name>/<generation>.released     given back; never undone
    progress/<stage id>/<number>.json       a checkpoint's files with bytes and sha256, written last
    progress/<stage id>/<number>-<attempt>/...
    records/<name>.json
    tmp/...                                 half-written files of local stores

Files lie apart from ``done.json`` so that one listing of ``stages/`` in a bucket holds small objects only.
"""

from __future__ import annotations

import re
import uuid

from stilts.errors import StoreError

LAYOUT_VERSION = 1

LAYOUT = "LAYOUT"
STAGES, FILES, LEASES, PROGRESS, RECORDS, TEMP = "stages", "files", "leases", "progress", "records", "tmp"

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@,~-]*")
# 255 bytes is the longest file name on the usual file systems; the rest is for suffixes.
_LONGEST_PART = 200
_TOKEN = re.compile(r"attempt-[0-9a-f]{16}")
_STATE = re.compile(r"(done|gone)(?:\.(\d+))?\.json")


def check_key(key: str) -> str:
    """The artifact's key as it is; StoreError unless it is one safe name, or two with a slash between."""
    _check("artifact key", key, most_parts=2)
    if any(is_token(part) for part in key.split("/")):
        raise StoreError(
            f'artifact key "{key}"', "it is spelled like the folder of an attempt to publish", "", "Rename it"
        )
    return key


def check_stage(name: str) -> str:
    """The name of a stage, or of its lease, as it is; StoreError unless it is one safe name."""
    return _check("stage name", name, most_parts=1)


def check_record(name: str) -> str:
    """The record's name as it is; StoreError unless it is safe names with slashes between."""
    return _check("record name", name, most_parts=12)


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


def record_path(name: str) -> str:
    """The object of a record."""
    return f"{RECORDS}/{name}.json"


def check_version(url: str, version: object) -> None:
    """Raises StoreError for a layout that this version cannot read: a newer one, or none at all."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(
            f"open the store {url}",
            f"its LAYOUT record names no version ({version!r})",
            "This folder may not be a store",
            "Name another folder, or delete the file LAYOUT if the folder holds nothing of worth",
        )
    if version > LAYOUT_VERSION:
        raise StoreError(
            f"open the store {url}",
            f"it was written by a newer stilts (layout {version}, this one knows {LAYOUT_VERSION})",
            "Writing to it would damage it",
            "Upgrade stilts, or name another store",
        )


def _check(what: str, name: str, *, most_parts: int) -> str:
    parts = name.split("/")
    fits = all(_PART.fullmatch(part) and len(part.encode()) <= _LONGEST_PART for part in parts)
    if len(parts) > most_parts or not fits:
        raise StoreError(
            f'{what} "{name}"',
            f"it is not at most {most_parts} name(s) of letters, digits and _.+=@,~- with slashes between",
            "Names become paths of files and objects, on every system",
            "Rename the study, row or task that it is made of",
        )
    return name
