"""Files that are written where the user says: whole or not at all, and never through a link.

``path.write_bytes`` follows a symbolic link and so overwrites a file that nobody named. Every floor may import this
module; results of the store have their own way (``store/local.py``).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from stilts.errors import InputError

# How the file begins that is being written beside its place; a killed process leaves one.
PARTIAL = ".stilts-part-"


def write_whole(path: Path, content: bytes) -> None:
    """Writes the file in one step: a reader, or a kill at any moment, finds the old content or all of the new.

    A regular file there is replaced, and its permissions are kept. InputError where anything else stands there, a
    symbolic link above all, or where it cannot be written.
    """
    before = check_place(path)
    partial = path.parent / f"{PARTIAL}{secrets.token_hex(8)}"
    try:
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
                file.write(content)
                if before is not None:
                    os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            os.replace(partial, path)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise InputError(
            f"file {path}",
            f"it cannot be written ({error.strerror or error})",
            "What was asked for goes there",
            "Name another place",
        ) from error


def check_place(path: Path) -> os.stat_result | None:
    """What is known of the regular file at the path, None where nothing is; InputError for anything else there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"file {path}", f"it cannot be looked at ({error.strerror or error})", "", "Name another place"
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise InputError(
            f"file {path}",
            f"{kind_of(found)} stands there",
            "Only a file of its own is overwritten: what a link points at was not named",
            "Take it away, or name another place",
        )
    return found


def check_empty(
    folder: Path, asked: str, next_step: str, *, why: str = "Files of another model would be mixed with this one's"
) -> None:
    """Raises InputError unless nothing is there, or an empty folder; a link to one is none: it leads elsewhere."""
    try:
        found = folder.lstat()
        held = sorted(each.name for each in folder.iterdir()) if stat.S_ISDIR(found.st_mode) else None
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(asked, f"it cannot be looked at ({error.strerror or error})", "", next_step) from error
    if held is None or held:
        raise InputError(
            asked,
            f"it is {kind_of(found)}" if held is None else f"the folder is not empty: it holds {some_of(held)}",
            why,
            next_step,
        )


def some_of(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def kind_of(found: os.stat_result) -> str:
    """What kind of thing it is, in words: ``a symbolic link``."""
    if stat.S_ISLNK(found.st_mode):
        return "a symbolic link"
    if stat.S_ISDIR(found.st_mode):
        return "a folder"
    return "a file" if stat.S_ISREG(found.st_mode) else "a device, pipe or socket"
