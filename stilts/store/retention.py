"""Which weights may be dropped, as pure functions of values (DESIGN rule 3): retention follows the DAG.

A target's weights go once all its planned outputs are stored, an intermediate's once no planned child needs them any
more; pinned ones and pretrained encoders stay. ``gc.py`` gathers the values and carries the decision out.
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
    """A stage that some study asks for: what it starts from and the keys that it publishes."""

    stage_id: str
    parent: str | None
    outputs: tuple[str, ...]


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
    """A planned stage that still starts from these weights, or None.

    Besides unfinished children, that is a child whose own weights are gone and needed, since it will be trained again.
    """
    return _needed_by(retention, stage_id, _children(retention))


def drop_weights(retention: Retention) -> tuple[Drop, ...]:
    """The weights that may go, sorted by stage id."""
    children = _children(retention)
    candidates = sorted(stage_id for stage_id in retention.weights if _may_go(retention, stage_id, children))
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
    """The stage, its parent where that has no weights left, and so on up to the first that has."""
    chain: list[str] = []
    at: str | None = stage_id
    while at is not None and at in retention.weights and at not in chain:
        if chain and at not in dropped and not retention.weights[at].gone:
            break
        chain.append(at)
        at = retention.planned[at].parent if at in retention.planned else None
    return chain


def _may_go(retention: Retention, stage_id: str, children: Mapping[str, list[str]]) -> bool:
    stored = retention.weights[stage_id]
    has_role = bool(stored.uses) and WeightsUse.PRETRAINING not in stored.uses
    free = stage_id not in retention.pinned and not stored.gone
    return has_role and free and _needed_by(retention, stage_id, children) is None


def _needed_by(retention: Retention, stage_id: str, children: Mapping[str, list[str]]) -> str | None:
    return next((child for child in children.get(stage_id, ()) if _needs_parent(retention, child, children)), None)


def _needs_parent(retention: Retention, child: str, children: Mapping[str, list[str]]) -> bool:
    if not is_finished(retention, child):
        return True
    stored = retention.weights.get(child)
    return stored is not None and stored.gone and _needed_by(retention, child, children) is not None


def _children(retention: Retention) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for stage_id, stage in sorted(retention.planned.items()):
        if stage.parent is not None:
            children.setdefault(stage.parent, []).append(stage_id)
    return children


def _why(stored: StoredWeights) -> str:
    if WeightsUse.INTERMEDIATE in stored.uses:
        return "no planned stage needs these weights any more"
    return "all its planned evaluations are stored"
