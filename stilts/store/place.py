"""Place: a store's root folder on this machine. Every path inside it is asked for here before it is used.

A store touches only what is its own. So each folder between root and file must be a real one, no link to elsewhere, a
file that is read must be a regular one, and what is deleted must have a name that stilts itself gives (``layout.py``).
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

from stilts.errors import DamagedError
from stilts.store.layout import (
    FOLDERS,
    OBJECT_FOLDERS,
    check_deletable,
    is_folder_name,
    is_object,
    most_bytes,
    new_temp,
)

# O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever. Windows knows neither flag.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class Place:
    """The folder of a local store. ``root`` may itself be reached through a link: the user named it so."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def at(self, path: str) -> Path:
        """Where the path lies; nothing is asked, so only for looking and for what is checked elsewhere."""
        return self.root / path

    def inside(self, path: str) -> Path:
        """Where the path lies; DamagedError where a folder on the way is a link, or no folder."""
        at, parts = self.root, path.split("/")
        for number, part in enumerate(parts[:-1], start=1):
            at = at / part
            try:
                mode = os.lstat(at).st_mode
            except FileNotFoundError:
                break
            if not stat.S_ISDIR(mode):
                what = "a link" if stat.S_ISLNK(mode) else "no folder"
                raise DamagedError("/".join(parts[:number]), f"{what} lies where a folder of the store belongs")
        return self.root / path

    def read(self, path: str) -> bytes | None:
        """The file's bytes, None where there is none; DamagedError for a link, a device, or too many bytes."""
        most = most_bytes(path)
        try:
            descriptor = os.open(self.at(path), _OPEN)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a FIFO or socket that nobody serves
                raise DamagedError(path, "it is no regular file") from error
            raise
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise DamagedError(path, "it is no regular file")
            if facts.st_size > most:
                raise DamagedError(path, f"it has {facts.st_size} bytes, more than the {most} of any such file")
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read()
        finally:
            os.close(descriptor)

    def has_file(self, path: str) -> bool:
        """Whether a regular file lies at the path."""
        try:
            return stat.S_ISREG(os.lstat(self.at(path)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def unlike_folders(self) -> dict[str, str]:
        """Those of the store's own folders in whose place something else lies, and what: a link, a file."""
        return {
            name: "a link or a file lies where a folder of the store belongs"
            for name in FOLDERS
            if os.path.lexists(self.at(name)) and not _is_real_folder(self.at(name))
        }

    def misplaced(self) -> dict[str, str]:
        """Paths at which a folder lies in place of an object, or something else in place of a folder, and what.

        Of records it cannot be told from here which names are folders: whatever has no ending may be one.
        """
        found: dict[str, str] = {}
        waiting = [name for name in OBJECT_FOLDERS if _is_real_folder(self.at(name))]
        while waiting:
            path = waiting.pop()
            with os.scandir(self.at(path)) as entries:
                for entry in entries:
                    inside, is_folder = f"{path}/{entry.name}", entry.is_dir(follow_symlinks=False)
                    if is_folder and is_object(inside):
                        found[inside] = "a folder lies where a file of the store belongs"
                    elif is_folder:
                        waiting.append(inside)
                    elif is_folder_name(inside):
                        found[inside] = "a link or a file lies where a folder of the store belongs"
        return dict(sorted(found.items()))

    # The one way by which anything leaves a store

    def delete_file(self, path: str) -> None:
        """Deletes an object that stilts made, if it is there; of a link the link itself."""
        check_deletable(str(self.root), path, whole_folder=False)
        place = self.inside(path)
        if _is_real_folder(place):
            raise DamagedError(path, "a folder lies where a file of the store belongs")
        place.unlink(missing_ok=True)

    def delete_tree(self, path: str) -> None:
        """Deletes a folder that stilts made, if it is there: it leaves its place at once, its files follow."""
        check_deletable(str(self.root), path, whole_folder=True)
        place, trash = self.inside(path), self.inside(new_temp())
        if not os.path.lexists(place):
            return
        if not _is_real_folder(place):
            raise DamagedError(path, "no folder, or a link, lies where a folder of the store belongs")
        trash.parent.mkdir(exist_ok=True)
        os.rename(place, trash)
        shutil.rmtree(trash)


def _is_real_folder(place: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
