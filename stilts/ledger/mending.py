"""Mending a store: what is damaged is set aside, nothing is destroyed, and the next run makes just that anew.

What is set aside lies in ``damaged/<token>/``, as it lay in the store. A LAYOUT that was lost is written again where
the place is certainly a store: it holds files that agree with their seals.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stilts.errors import DamagedError, InputError, LeaseHeldError, StoreError, UnreadableError
from stilts.ledger.faults import Fault, FaultKind, find_faults
from stilts.ledger.study_record import read_study
from stilts.ledger.summary import SUMMARIES, Summary, output_summary
from stilts.store.backend import Backend
from stilts.store.layout import DAMAGED, LAYOUT, OWN, RECORDS, STRAYS
from stilts.store.opening import layout_version, no_store, place_of, write_layout
from stilts.store.seal import is_sealed, unseal
from stilts.store.sealing import seal_store
from stilts.store.store import Store
from stilts.study.record import StudyRecord
from stilts.tasks.kinds import metric_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What mending found. ``folder`` is where it was set aside, "" where nothing was.

    ``left`` are faults of stages that live processes hold, ``summaries`` is how many were made again from their
    artifacts, ``strays`` are left alone; ``sealed``: the files got their first checksums.
    """

    faults: tuple[Fault, ...]
    folder: str = ""
    left: tuple[Fault, ...] = ()
    summaries: int = 0
    strays: tuple[str, ...] = ()
    sealed: bool = False


def repair_opening(url: str, *, dry_run: bool = False) -> list[Fault]:
    """Sees to it that the store can be opened: what keeps it from that is set aside, and its LAYOUT written again.

    DamagedError or StoreError where that cannot be done, or is not certainly right.
    """
    backend, folder = place_of(url), _new_folder()
    faults = [*_in_layout(backend), *_in_folders(backend)]  # nothing moves before the place is known for a store
    if dry_run:
        return faults
    for fault in faults:
        for path in fault.paths:
            backend.move(path, f"{folder}/{path}")
    if any(fault.paths == (LAYOUT,) for fault in faults):
        write_layout(backend)
    return faults


def _in_layout(backend: Backend) -> Iterator[Fault]:
    """What is wrong with the LAYOUT; DamagedError where the place is not certainly a store."""
    try:
        if layout_version(backend) is not None:
            return
        kind, found = FaultKind.GONE, "it is gone"
    except DamagedError as error:
        kind, found = FaultKind.DAMAGED, error.found
    if not _is_certainly_a_store(backend):
        if kind is FaultKind.GONE:
            raise no_store(backend)
        raise DamagedError(LAYOUT, f"{found}, and nothing else shows that the place is a store")
    others = sorted(set(backend.children("")) - OWN - STRAYS)
    if others:
        raise DamagedError(LAYOUT, f'{found}, and "{others[0]}" lies beside it: move away what is not the store\'s')
    yield Fault(kind=kind, paths=(LAYOUT,), found=found)


def _in_folders(backend: Backend) -> Iterator[Fault]:
    """What lies in the place of the store's own folders."""
    for name, found in backend.unlike_folders().items():
        if name == DAMAGED:
            raise DamagedError(DAMAGED, f"{found}, and there what is damaged is set aside: move it away yourself")
        yield Fault(kind=FaultKind.DAMAGED, paths=(name,), found=found)


def mend(store: Store, study: str, *, dry_run: bool = False, also: Sequence[Fault] = ()) -> Mended:
    """Finds all that is wrong and sets it aside; with ``dry_run`` only finds. The study is looked at to the last byte.

    A store from before there were checksums gets them first. ``also`` are faults that others found: of Optuna's mirror.
    """
    sealing = not store.documents.required and not dry_run
    if sealing:
        store = seal_store(store)
    record = _readable(store, study)
    faults, folder, left = [*find_faults(store, record), *also], _new_folder(), list[Fault]()
    if dry_run:
        return Mended(faults=tuple(faults), strays=tuple(store.strays()))
    for fault in faults:
        try:
            _set_aside(store, fault, folder)
        except LeaseHeldError:
            left.append(fault)
    made = sum(_resummarise(store, stage_id) for stage_id in _to_summarise(store, record))
    moved = folder if len(faults) > len(left) else ""
    return Mended(
        faults=tuple(faults),
        folder=moved,
        left=tuple(left),
        summaries=made,
        strays=tuple(store.strays()),
        sealed=sealing,
    )


def _readable(store: Store, study: str) -> StudyRecord | None:
    """The study's record; None where it cannot be read, and then everything is looked at."""
    try:
        return read_study(store, study)
    except UnreadableError:
        return None


def _set_aside(store: Store, fault: Fault, folder: str) -> None:
    if not fault.key:
        _move(store, fault.paths, folder)
        return
    with store.lease(fault.key.partition("/")[0]):
        _move(store, fault.paths, folder)
        if fault.marks_gone and not _has_whole_files(store, fault.key):
            store.mark_gone(fault.key, f"damaged: {fault.found}")


def _move(store: Store, paths: Sequence[str], folder: str) -> None:
    for path in paths:
        store.backend.move(path, f"{folder}/{path}")


def _has_whole_files(store: Store, key: str) -> bool:
    try:
        store.fetch(key)
    except StoreError:
        return False
    return True


def _to_summarise(store: Store, record: StudyRecord | None) -> Iterator[str]:
    """The evaluate stages whose outputs are published and that have no summary."""
    stages = {key.partition("/")[0] for key in store.done() if key.startswith("evaluate-")}
    wanted = stages if record is None else stages & record.stages.keys()
    yield from sorted(stage_id for stage_id in wanted if not SUMMARIES.exists(store, stage_id))


def _resummarise(store: Store, stage_id: str) -> bool:
    """Makes a stage's summary from its artifacts; whether that was possible."""
    keys = sorted(key for key in store.done() if key.partition("/")[0] == stage_id)
    try:
        outputs = {key: output_summary(store, key, _columns(store, key)) for key in keys}
        with store.lease(stage_id):
            SUMMARIES.write(store, Summary(outputs=outputs), stage_id)
    except (InputError, LeaseHeldError):
        return False
    return True


def _columns(store: Store, key: str) -> tuple[str, ...]:
    return metric_named(str(store.result(key).get("metric"))).columns


def _is_certainly_a_store(backend: Backend) -> bool:
    """Whether a file of it agrees with its seal, which nobody writes by chance."""
    for name in backend.names(RECORDS):
        path = f"{RECORDS}/{name}"
        try:
            data = backend.read(path) or b""
            if is_sealed(data):
                unseal(path, data, required=True)
                return True
        except DamagedError:
            continue
    return False


def _new_folder() -> str:
    return f"{DAMAGED}/{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"
