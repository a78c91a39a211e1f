"""Cleaning up a store: what may go, what a rebuild would cost, and doing it.

Every study recorded in the store counts, given or not: weights that any of them still needs stay. What a study asks for
whose record cannot be read is not known, so nothing goes that it may need; what else is damaged stays as it is and
stops nothing. Stages of no recorded study are listed as unreferenced and kept unless asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from stilts.errors import DamagedError, LeaseHeldError, UnreadableError
from stilts.ledger.census import take_census
from stilts.ledger.results import results_of
from stilts.ledger.study_record import all_studies, study_record_name
from stilts.store.artifacts import Attempt
from stilts.store.retention import (
    Drop,
    DropKind,
    Retention,
    drop_weights,
    is_finished,
    needed_by,
    rebuild_s,
)
from stilts.store.store import Store
from stilts.study.record import StudyRecord

_STAGE_ID = re.compile(rb'"((?:train|evaluate|estimate)-[^"/\\]{1,200}-[0-9a-f]{12})(?:/[^"]*)?"')
# Leases and temporary files of stages that are not done: far longer than any process sleeps or writes.
_SILENT_S = 24 * 3600.0
_LITTER_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreferenced:
    """An artifact or checkpoint of a stage that no recorded study asks for."""

    key: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GcPlan:
    """What would be dropped. ``rebuild_s`` is the training that brings all of it back, each stage counted once.

    ``faults`` says of studies, by name, why their record cannot be read: what they may need is held back. ``strays``
    are the paths of what lies in the store and is none of its own; they are told and left alone.
    """

    drops: tuple[Drop, ...]
    unreferenced: tuple[Unreferenced, ...]
    rebuild_s: float
    faults: Mapping[str, UnreadableError] = field(default_factory=dict)
    strays: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes that the drops free."""
        return sum(drop.bytes for drop in self.drops)


@dataclass(frozen=True, slots=True, kw_only=True)
class GcResult:
    """What was done: bytes freed, and the drops left out: a live process holds the stage, or it is damaged."""

    bytes: int
    skipped: tuple[Drop, ...]


def plan_gc(
    store: Store,
    records: Iterable[StudyRecord] = (),
    pinned: Collection[str] = (),
    *,
    include_unreferenced: bool = False,
) -> GcPlan:
    """What may go from the store; deletes nothing.

    ``records`` are studies as they are planned now; those that the store has of others count too. ``pinned`` lists
    train stages whose weights stay (champions). With ``include_unreferenced`` the files of artifacts that no study
    asks for go too; their results stay.
    """
    known = all_studies(store)
    studies = {**known.values, **{record.name: record for record in records}}
    held = _Held.by(store, {name: fault for name, fault in known.faults.items() if name not in studies})
    retention = take_census(store, studies.values(), frozenset(pinned))
    live = store.leased()
    unreferenced = [item for item in _unreferenced(store, retention, live) if held.lets_go(item.key)]
    drops = [drop for drop in drop_weights(retention) if drop.key not in live and held.lets_go(drop.key)]
    dropped = frozenset(drop.key for drop in drops)
    total = rebuild_s(retention, sorted(dropped), dropped)
    if include_unreferenced:
        strays = _drop_unreferenced(store, retention, unreferenced)
        drops, total = [*drops, *strays], total + sum(drop.rebuild_s for drop in strays)
    drops += [*_progress(store, retention, live), *_attempts(store, live), *_leases(store, retention), *_litter(store)]
    return GcPlan(
        drops=tuple(drops),
        unreferenced=tuple(unreferenced),
        rebuild_s=total,
        faults=held.faults,
        strays=tuple(store.strays()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What studies may need whose records cannot be read: the stages that a newer record names, or else everything."""

    faults: Mapping[str, UnreadableError]
    stages: frozenset[str]

    @classmethod
    def by(cls, store: Store, faults: Mapping[str, UnreadableError]) -> _Held:
        bodies = store.record_bodies([study_record_name(name) for name in faults]).good.values()
        named = {name.decode() for body in bodies for name in _STAGE_ID.findall(body)}
        return cls(faults=dict(faults), stages=frozenset(named))

    def lets_go(self, key: str) -> bool:
        """Whether no such study can need what lies under the key."""
        if any(isinstance(fault, DamagedError) for fault in self.faults.values()):
            return False
        return _stage_of(key) not in self.stages


def apply_gc(store: Store, plan: GcPlan) -> GcResult:
    """Drops what the plan lists, each stage under its own lease; stages taken since are left out."""
    freed, skipped = 0, []
    for drop in plan.drops:
        try:
            freed += _apply(store, drop)
        except (LeaseHeldError, DamagedError):
            skipped.append(drop)
    return GcResult(bytes=freed, skipped=tuple(skipped))


def _apply(store: Store, drop: Drop) -> int:
    if drop.kind is DropKind.LEASE:
        store.drop_lease(drop.key, int(drop.part))
        return drop.bytes
    if drop.kind is DropKind.TEMPORARY:
        return store.drop_litter([entry for entry in store.litter(_LITTER_S) if entry.path == drop.key])
    with store.lease(_stage_of(drop.key)):
        if drop.kind is DropKind.FILES:
            return store.drop_files(drop.key, drop.why)
        if drop.kind is DropKind.ATTEMPT:
            return store.drop_attempt(Attempt(key=drop.key, token=drop.part, bytes=drop.bytes))
        store.drop_progress(drop.key)
        return drop.bytes


def _unreferenced(store: Store, retention: Retention, live: frozenset[str]) -> list[Unreferenced]:
    gone = store.gone_keys()
    keys = sorted(key for key in retention.done - gone if _is_stray(retention, live, key))
    found = [Unreferenced(key=key, bytes=size) for key in keys if (size := _size(store, key)) is not None]
    checkpoints = store.progress_sizes().items()
    found += [
        Unreferenced(key=stage_id, bytes=size)
        for stage_id, size in checkpoints
        if stage_id not in retention.done and _is_stray(retention, live, stage_id)
    ]
    return sorted(found, key=lambda item: item.key)


def _size(store: Store, key: str) -> int | None:
    """Bytes of an artifact's files; None where its publication is damaged."""
    try:
        return sum(store.sizes(key).values())
    except DamagedError:
        return None


def _is_stray(retention: Retention, live: frozenset[str], key: str) -> bool:
    stage = _stage_of(key)
    return not {key, stage} & (retention.planned.keys() | live | retention.pinned)


def _drop_unreferenced(store: Store, retention: Retention, found: Iterable[Unreferenced]) -> list[Drop]:
    why = "no recorded study asks for it"
    results = results_of(store, [item.key for item in found if item.key in retention.done]).values
    return [
        Drop(
            kind=DropKind.FILES if item.key in results else DropKind.PROGRESS,
            key=item.key,
            bytes=item.bytes,
            why=why,
            rebuild_s=results[item.key].seconds if item.key in results else 0.0,
        )
        for item in found
    ]


def _progress(store: Store, retention: Retention, live: frozenset[str]) -> list[Drop]:
    drops = []
    for stage_id, size in sorted(store.progress_sizes().items()):
        stored = retention.weights.get(stage_id)
        rebuilt = stored is not None and stored.gone and needed_by(retention, stage_id) is not None
        if stage_id not in live and is_finished(retention, stage_id) and not rebuilt:
            why = "its stage was pruned" if stage_id in retention.pruned else "its stage is done"
            drops.append(Drop(kind=DropKind.PROGRESS, key=stage_id, bytes=size, why=why))
    return drops


def _attempts(store: Store, live: frozenset[str]) -> list[Drop]:
    why = "its publisher was killed"
    return [
        Drop(kind=DropKind.ATTEMPT, key=attempt.key, bytes=attempt.bytes, why=why, part=attempt.token)
        for attempt in store.orphans()
        if not {attempt.key, _stage_of(attempt.key)} & live
    ]


def _leases(store: Store, retention: Retention) -> list[Drop]:
    drops = []
    for state in store.lease_states():
        finished = is_finished(retention, state.name)
        if not state.live and (finished or state.silent_s > _SILENT_S):
            why = "its stage is done" if finished else "nobody has held it for a day"
            drops.append(Drop(kind=DropKind.LEASE, key=state.name, bytes=0, why=why, part=str(state.generation)))
    return drops


def _litter(store: Store) -> list[Drop]:
    why = "left by a killed process"
    return [
        Drop(kind=DropKind.TEMPORARY, key=entry.path, bytes=entry.bytes, why=why) for entry in store.litter(_LITTER_S)
    ]


def _stage_of(key: str) -> str:
    """The stage that a key belongs to: what stands before the slash."""
    return key.partition("/")[0]
