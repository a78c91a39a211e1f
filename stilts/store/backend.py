"""Backend: the few things a store needs of a file system or bucket. ``local.py`` and ``bucket.py`` implement it.

Paths are relative to the store's root, with forward slashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stilts.errors import StoreError
from stilts.fingerprint import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of the store: its path, its bytes and when it was last written (unix seconds, 0 where not known)."""

    path: str
    bytes: int
    modified: float


class Backend(Protocol):
    """Whole objects by path. Only ``create`` must decide between rivals; everything else may be repeated.

    Whatever the place refuses (full, read only, out of reach) is a StoreUnavailableError; what lies where an object
    belongs and is none (a link, a device) a DamagedError.
    """

    url: str
    remote: bool

    def read(self, path: str) -> bytes | None:
        """The object's bytes, or None where there is none."""

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The bytes of those objects that exist, fetched side by side where the file system can."""

    def exists(self, path: str) -> bool:
        """Whether there is an object at the path."""

    def create(self, path: str, data: bytes) -> bool:
        """Writes a new object, whole and durable; False when one is there already. Exactly one rival gets True."""

    def replace(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """Writes an object whole, over any that is there."""

    def delete(self, path: str) -> None:
        """Deletes the object, if there is one; StoreError where its name is none that stilts makes."""

    def delete_tree(self, path: str) -> None:
        """Deletes everything below the path, if there is anything; StoreError where stilts makes no such folder."""

    def move(self, path: str, to: str) -> None:
        """Moves an object, or everything below the path, to another path of the store; nothing where there is none."""

    def names(self, path: str) -> Iterator[str]:
        """The paths, relative to ``path``, of all objects below it, without asking for their sizes."""

    def walk(self, path: str) -> Iterator[Entry]:
        """All objects below the path; ``Entry.path`` is relative to ``path``."""

    def children(self, path: str) -> list[str]:
        """The names directly below the path."""

    def unlike_folders(self) -> dict[str, str]:
        """Those of the store's own folders in whose place something else lies, and what."""

    def misplaced(self) -> dict[str, str]:
        """Paths at which a folder lies in place of an object, or something else in place of a folder, and what."""

    def put(self, folder: Path, files: Iterable[str], path: str, *, keep: bool, alias: bool) -> None:
        """Copies files of a local folder below the path, durably.

        ``alias`` lets them share storage with the originals (a hard link); ``keep=False`` lets them be moved.
        """

    def get(self, path: str, files: Iterable[str], folder: Path) -> None:
        """Copies files below the path into a local folder; those that are missing are left out."""

    def local(self, path: str) -> Path | None:
        """Where the path lies on this machine, or None in a bucket."""


def to_json(what: str, value: Json) -> bytes:
    """The value as UTF-8 JSON; StoreError naming ``what`` when it is not plain. NaN passes, as Python writes it."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"store {what}", f"it is not plain JSON ({error})", "", "Pass numbers, text, lists and dicts"
        ) from error
