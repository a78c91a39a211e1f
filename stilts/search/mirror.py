"""Mirror: the Optuna storage beside a local store, as ``optuna-dashboard`` shows it.

Nothing is read from it to decide anything, and a run writes it again where it was lost. So it has no checksum: it is
whole where Optuna can read all of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from optuna.storages import RDBStorage

from stilts.errors import DamagedError
from stilts.search.optuna_view import UNREADABLE
from stilts.store.layout import SEARCHES
from stilts.store.store import Store

_HEADER = b"SQLite format 3\x00"
# A proposal takes some 2 KB: far more than any study draws.
_MOST_BYTES = 2**30


def mirror_url(store: Store) -> str:
    """Where Optuna's studies persist: beside a local store, in the working folder for a bucket.

    DamagedError where something that is no regular file lies in its place: SQLite would follow a link.
    """
    if store.backend.remote:
        return f"sqlite:///{SEARCHES[0]}"
    for path, found in _unlike_files(store):
        raise DamagedError(path, found)
    return f"sqlite:///{Path(store.url).resolve() / SEARCHES[0]}"


def mirror_flaws(store: Store) -> dict[str, str]:
    """What is wrong with the mirror of a local store, by path: it is no file, or Optuna cannot read it."""
    if store.backend.remote:
        return {}
    found = dict(_unlike_files(store))
    place = store.backend.local(SEARCHES[0])
    if found or place is None or not place.exists():
        return found
    flaw = _flaw(place)
    return {} if flaw is None else {SEARCHES[0]: flaw}


def _unlike_files(store: Store) -> Iterator[tuple[str, str]]:
    for name in SEARCHES:
        if os.path.lexists(Path(store.url) / name) and not store.backend.exists(name):
            yield name, "a link, a folder or a device lies where a file of the store belongs"


def _flaw(place: Path) -> str | None:
    size = place.stat().st_size
    if size > _MOST_BYTES:
        return f"it has {size} bytes, more than the {_MOST_BYTES} of any such file"
    with place.open("rb") as stream:
        if stream.read(len(_HEADER)) != _HEADER:
            return "it is no SQLite database"
    with tempfile.TemporaryDirectory(prefix="stilts-") as folder:  # a copy, for Optuna writes on opening
        copy = Path(folder) / place.name
        shutil.copyfile(place, copy)
        try:
            _read_all(f"sqlite:///{copy}")
        except UNREADABLE as error:
            said = (str(error).splitlines() or [""])[0]
            return f"Optuna cannot read it ({type(error).__name__}: {said[:120]})"
    return None


def _read_all(url: str) -> None:
    storage = RDBStorage(url)
    try:
        for study in storage.get_all_studies():
            storage.get_study_directions(study._study_id)
            storage.get_all_trials(study._study_id, deepcopy=False)
    finally:
        storage.remove_session()
        storage.engine.dispose()
