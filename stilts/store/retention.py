"""Which weights may be dropped, as pure functions of values (DESIGN rule 3): retention follows the DAG.

A target's weights go once all its planned outputs are stored, an intermediate's once no planned child needs them any
more; pinned ones and pretrained encoders stay, and with an adapter that is read or pinned all that it rests on.
``gc.py`` gathers the values and carries the decision out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class WeightsUse(StrEnum):
    """What a train stage's weights are for; one stage may serve as several."""

    TARGET = "target"
    INTERMEDIATE = "intermediate"
    PRETRAINING = "pretraining"


class DropKind(StrEnum):
    """What goes: an artifact's files, a checkpoint, files of a killed publisher, a lease's records, other litter."""

    FILES = "files"
    PROGRESS = "progress"
    ATTEMPT = "attempt"
    LEASE = "lease"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """A stage that some study asks for: what it starts from and the keys that it publishes.

    ``rests_on`` are the stages without whose artifacts its own is not whole: those below an adapter, nearest first;
    ``merged`` are the recipes that a merge adds to its parent.
    """

    stage_id: str
    parent: str | None
    outputs: tuple[str, ...]
    rests_on: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWeights:
    """A published train stage: its uses, the bytes of its files, whether they are gone, and its training in seconds."""

    stage_id: str
    uses: frozenset[WeightsUse]
    bytes: int
    gone: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """All that the decision depends on. ``pruned`` stages will not run, ``pinned`` ones keep their weights."""

    planned: Mapping[str, PlannedStage]
    weights: Mapping[str, StoredWeights]
    done: frozenset[str]
    pruned: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Something that may go: its key, bytes freed, the reason, and the seconds of training that bring it back.

    ``part`` tells apart what has the same key: the attempt's token, the lease's generation.
    """

    kind: DropKind
    key: str
    bytes: int
    why: str
    rebuild_s: float = 0.0
    part: str = ""


def is_finished(retention: Retention, stage_id: str) -> bool:
    """Whether all that the stage publishes is stored, or it was pruned."""
    stage = retention.planned.get(stage_id)
    outputs = (stage_id,) if stage is None else stage.outputs
    return stage_id in retention.pruned or all(key in retention.done for key in outputs)


def needed_by(retention: Retention, stage_id: str) -> str | None:
    """A planned stage that still reads these weights, or None.

    Besides unfinished ones, that is one whose own weights are gone and needed, since it will be trained again.
    """
    return _needed_by(retention, stage_id, _readers(retention))


def drop_weights(retention: Retention) -> tuple[Drop, ...]:
    """The weights that may go, sorted by stage id."""
    readers = _readers(retention)
    pinned = _pinned(retention)
    candidates = sorted(
        stage_id for stage_id in retention.weights if stage_id not in pinned and _may_go(retention, stage_id, readers)
    )
    dropped = frozenset(candidates)
    return tuple(
        Drop(
            kind=DropKind.FILES,
            key=stage_id,
            bytes=retention.weights[stage_id].bytes,
            why=_why(retention.weights[stage_id]),
            rebuild_s=rebuild_s(retention, [stage_id], dropped),
        )
        for stage_id in candidates
    )


def rebuild_s(retention: Retention, stage_ids: Iterable[str], dropped: frozenset[str]) -> float:
    """Seconds of training to bring the weights of all these stages back, once ``dropped`` are gone; each stage once."""
    chain: set[str] = set()
    for stage_id in stage_ids:
        chain.update(_rebuild_chain(retention, stage_id, dropped))
    return sum(retention.weights[stage_id].seconds for stage_id in chain)


def _rebuild_chain(retention: Retention, stage_id: str, dropped: frozenset[str]) -> list[str]:
    """The stage, what it reads where that has no weights left, and so on down to what has."""
    chain: list[str] = []
    waiting = [stage_id]
    while waiting:
        at = waiting.pop()
        if at not in chain and at in retention.weights:
            chain.append(at)
            waiting += [one for one in _reads(retention, at) if _is_gone(retention, one, dropped)]
    return chain


def _is_gone(retention: Retention, stage_id: str, dropped: frozenset[str]) -> bool:
    stored = retention.weights.get(stage_id)
    return stored is not None and (stored.gone or stage_id in dropped)


def _pinned(retention: Retention) -> frozenset[str]:
    """The pinned stages, and what their adapters rest on."""
    below = (retention.planned[one].rests_on for one in retention.pinned if one in retention.planned)
    return retention.pinned.union(*below)


def _may_go(retention: Retention, stage_id: str, readers: Mapping[str, list[str]]) -> bool:
    stored = retention.weights[stage_id]
    has_role = bool(stored.uses) and WeightsUse.PRETRAINING not in stored.uses
    return has_role and not stored.gone and _needed_by(retention, stage_id, readers) is None


def _needed_by(retention: Retention, stage_id: str, readers: Mapping[str, list[str]]) -> str | None:
    return next((one for one in readers.get(stage_id, ()) if _still_reads(retention, one, readers)), None)


def _still_reads(retention: Retention, reader: str, readers: Mapping[str, list[str]]) -> bool:
    if not is_finished(retention, reader):
        return True
    stored = retention.weights.get(reader)
    return stored is not None and stored.gone and _needed_by(retention, reader, readers) is not None


def _reads(retention: Retention, stage_id: str) -> tuple[str, ...]:
    """What a stage starts from, and what that rests on where it is an adapter."""
    stage = retention.planned.get(stage_id)
    if stage is None:
        return ()
    starts = [*([] if stage.parent is None else [stage.parent]), *stage.merged]
    below = [one for start in starts if start in retention.planned for one in retention.planned[start].rests_on]
    return tuple(dict.fromkeys([*starts, *below]))


def _readers(retention: Retention) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for stage_id in sorted(retention.planned):
        for one in _reads(retention, stage_id):
            readers.setdefault(one, []).append(stage_id)
    return readers


def _why(stored: StoredWeights) -> str:
    if WeightsUse.INTERMEDIATE in stored.uses:
        return "no planned stage needs these weights any more"
    return "all its planned evaluations are stored"
