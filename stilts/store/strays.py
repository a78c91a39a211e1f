"""Strays: what lies in a store and is none of its own, such as what a file manager or an editor left there."""

from __future__ import annotations

from stilts.store.backend import Backend
from stilts.store.layout import (
    CACHE,
    DAMAGED,
    FILES,
    FOLDERS,
    OWN,
    PROGRESS,
    SPOOL,
    TEMP,
    is_checkpoint,
    is_object,
    is_stage,
    is_temp,
    split_attempt,
)

# What others write there, or set aside, has names of its own.
_UNASKED = (CACHE, SPOOL, DAMAGED)


def find_strays(backend: Backend) -> list[str]:
    """The paths, sorted, of all files under names that stilts does not make; links in the place of folders too."""
    found = [name for name in backend.children("") if name not in OWN]
    for folder in FOLDERS:
        if folder not in _UNASKED:
            paths = (f"{folder}/{name}" for name in backend.names(folder))
            found += [path for path in paths if not _is_own(path)]
    return sorted(found)


def _is_own(path: str) -> bool:
    folder, _, rest = path.partition("/")
    if folder == FILES:
        attempt = split_attempt(rest)
        return attempt is not None and rest != "/".join(attempt)
    if folder == TEMP:
        return is_temp(rest.partition("/")[0])
    if folder == PROGRESS:
        stage, _, inside = rest.partition("/")
        name, _, file = inside.partition("/")
        return is_object(path) or (is_stage(stage) and is_checkpoint(name) and bool(file))
    return is_object(path)
