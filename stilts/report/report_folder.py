"""The folder of a report: filled anew where an earlier report filled it, and left alone where anything else lies.

A file is known as an earlier report's by ``report.json`` beside it, which lists every file with the SHA-256 of what was
written. Whoever edits a figure's data, or puts a file of their own there, has a file that no report wrote: it is named
and nothing is written. What an earlier report wrote and this one does not is left there, and stays listed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from stilts.errors import InputError
from stilts.whole_file import PARTIAL, some_of, write_whole

LISTING = "report.json"
_MOST_BYTES = 2**20  # a listing has about 100 bytes to a file
# What systems put into folders by themselves.
_STRAYS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
# The digests that a file may have, by name; two while it is being replaced.
_Listed: TypeAlias = Mapping[str, Iterable[str]]


def check_folder(folder: Path) -> None:
    """Raises InputError, naming what is there, where the folder holds what no report of stilts wrote."""
    listed = _listing(folder)
    try:
        found = sorted(folder.iterdir()) if os.path.lexists(folder) else []
        foreign = [told for each in found if (told := _foreign(each, listed))]
    except OSError as error:
        raise _unusable(folder, error) from error
    if foreign:
        raise InputError(
            f"report folder {folder}",
            f"it holds what no report is known to have written: {some_of(foreign)}",
            "It would be overwritten, or mixed with the report's files",
            "Name a new or an empty folder with --out",
        )


def fill_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files, by name, into a folder that ``check_folder`` allows; a kill leaves one that it allows."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    check_folder(folder)
    before = dict(_listing(folder) or {})
    made = {name: [_digest(content)] for name, content in files.items()}
    both = {name: sorted({*before.get(name, ()), *made.get(name, ())}) for name in before | made}
    write_whole(folder / LISTING, _written(both))
    for name, content in files.items():
        write_whole(folder / name, content)
    write_whole(folder / LISTING, _written(before | made))


def _foreign(path: Path, listed: _Listed | None) -> str:
    """What is said of a file that is not an earlier report's; empty for one that is."""
    if path.name in _STRAYS or path.name.startswith(PARTIAL) or (path.name == LISTING and listed is not None):
        return ""
    kind = path.lstat().st_mode
    if stat.S_ISLNK(kind):
        return f"{path.name} (a symbolic link)"
    if not stat.S_ISREG(kind) or listed is None or path.name not in listed:
        return path.name
    return "" if _digest(path.read_bytes()) in listed[path.name] else f"{path.name} (changed since)"


def _listing(folder: Path) -> _Listed | None:
    """What the folder's listing says; None where there is none that a report wrote."""
    path = folder / LISTING
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            return None
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    files = value.get("files") if isinstance(value, dict) and value.get("made_by") == "stilts report" else None
    if not isinstance(files, dict) or not all(isinstance(digests, list) for digests in files.values()):
        return None
    return {name: [str(digest) for digest in digests] for name, digests in files.items()}


def _written(files: _Listed) -> bytes:
    value = {"made_by": "stilts report", "files": {name: list(digests) for name, digests in sorted(files.items())}}
    return (json.dumps(value, indent=1) + "\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unusable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"report folder {folder}",
        f"it cannot be written ({error.strerror or error})",
        "Page, pictures and tables go there",
        "Name another folder with --out",
    )
