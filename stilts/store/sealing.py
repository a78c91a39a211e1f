"""Sealing a store of layout 1, from before files had checksums: each file as it is gets its own, then the LAYOUT."""

from __future__ import annotations

from stilts.errors import DamagedError
from stilts.store.backend import Backend
from stilts.store.layout import LAYOUT, LAYOUT_VERSION, PROGRESS, RECORDS, STAGES, is_object
from stilts.store.seal import is_sealed, parse, seal, sealed, unseal
from stilts.store.store import Store

# The lease under which one process seals at a time. No stage has such a name.
_LEASE = "sealing"


def seal_store(store: Store) -> Store:
    """The store with every file sealed, opened anew; LeaseHeldError while another process does the same.

    A file that is no JSON object is left as it is: from then on it counts as damaged. A kill leaves some files sealed;
    the next call seals the others.
    """
    backend = store.backend
    with store.lease(_LEASE):
        for folder in (STAGES, PROGRESS, RECORDS):
            for name in list(backend.names(folder)):
                if is_object(f"{folder}/{name}"):
                    _seal(backend, f"{folder}/{name}")
        layout = parse(LAYOUT, unseal(LAYOUT, backend.read(LAYOUT) or b"", required=False))
        backend.replace(LAYOUT, seal(LAYOUT, {**layout, "version": LAYOUT_VERSION}))
    return store.reopened()


def _seal(backend: Backend, path: str) -> None:
    try:
        data = backend.read(path)
        if data is None or is_sealed(data):
            return
        body = data.strip()
        parse(path, body)
    except DamagedError:
        return
    backend.replace(path, sealed(path, body))
