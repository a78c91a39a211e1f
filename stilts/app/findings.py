"""What checks found of data and encoders, kept by content in the user's cache folder: what was good is not tried again.

A finding is believed where all that decided it is the same to the last byte: the data's and the encoder's files, the
package's own code, and the libraries that read them. Nothing is kept of what fails, and nothing in a store: a verb that
only looks writes nothing there. Where the folder cannot be used, everything is found anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stilts.fingerprint import Json, canonical_json
from stilts.store.cache_files import read_file, user_cache, write_file
from stilts.store.seal import parse, seal, unseal
from stilts.tasks.task import Source
from stilts.tasks.view import DataView

# What reads, tokenizes and builds, beside our own code.
_LIBRARIES = ("numpy", "pyarrow", "safetensors", "scipy", "seqeval", "tokenizers", "torch", "transformers")
_PACKAGE = Path(__file__).parents[1]
_CODE = (".py", ".yaml", ".txt")
_SUFFIX = ".json"
# What was found goes after a month, so that the folder does not grow for ever; it is then found again.
_LIVES_S = 30 * 24 * 3600
# What is found of a target in 50 languages takes some 20 KB.
_MOST_BYTES = 4 * 2**20


def remembered(about: Json, find: Callable[[], dict[str, Json]], *, unless: bool = False) -> dict[str, Json]:
    """What ``find`` gives, or gave when it was last asked about the same; what it raises is never kept.

    ``about`` says all that decides it but code and libraries. ``unless``: it is found anew, and not kept.
    """
    if unless:
        return find()
    folder, key = user_cache("found"), _key(about)
    known = read_file(folder, key, _SUFFIX, lambda descriptor: _believed(descriptor, key))
    if known is not None:
        return known
    found = find()
    with suppress(OSError):  # no room, no permission, or something that is not ours in its place
        write_file(folder, key, _SUFFIX, seal(key, found), lives_s=_LIVES_S)
    return found


def told_by_content(views: Iterable[DataView]) -> bool:
    """Whether the views are of files, whose bytes were just hashed, or made by the package's own code.

    What the hub would give is asked of it each time; a kind from elsewhere has code that no finding is held against.
    """
    return all(
        view.source is not Source.HUB and view.kind.module.startswith("stilts.") and told_by_content(view.exclude)
        for view in views
    )


def _believed(descriptor: int, key: str) -> dict[str, Json] | None:
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode) or state.st_size > _MOST_BYTES:
        return None
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        return parse(key, unseal(key, stream.read(), required=True))


def _key(about: Json) -> str:
    return hashlib.sha256(canonical_json([_checker(), about]).encode()).hexdigest()


@lru_cache(maxsize=1)
def _checker() -> str:
    """What is asked of data and encoders, as a digest: all of the package's code, the libraries', Python's version."""
    whole = hashlib.sha256(canonical_json([platform.python_version(), *map(_version, _LIBRARIES)]).encode())
    for path in sorted(path for path in _PACKAGE.rglob("*") if path.suffix in _CODE):
        whole.update(f"{path.relative_to(_PACKAGE)}\0{path.stat().st_size}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
