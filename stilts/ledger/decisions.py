"""The one reader and the one writer of a study's decisions (``decision.py``)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from stilts.ledger.decision import (
    CellsDecision,
    Confirmation,
    Decision,
    Grant,
    Judged,
    ProposalRecord,
    Pruned,
    RowEnd,
    Stopped,
)
from stilts.ledger.records import (
    CONFIRMATIONS,
    DECISIONS,
    GRANTS,
    JUDGED,
    PROPOSALS,
    PRUNED,
    ROW_ENDS,
    STOPPED,
    RecordKind,
)
from stilts.store.artifact_store import ArtifactStore

D = TypeVar("D", bound=Decision)

_KINDS: Mapping[type[Decision], RecordKind[Any]] = {
    CellsDecision: DECISIONS,
    ProposalRecord: PROPOSALS,
    Pruned: PRUNED,
    Grant: GRANTS,
    Confirmation: CONFIRMATIONS,
    RowEnd: ROW_ENDS,
    Stopped: STOPPED,
    Judged: JUDGED,
}
# One for each evaluation, with all its examples: those that stopped a stage are told by what stopped it.
_MANY = (Judged,)
# What a run goes on from, and may not take for less than it is; the others are made again.
_BINDING = (CellsDecision, ProposalRecord, Grant)


def decisions(store: ArtifactStore, study: str, *, to_go_on: bool = False) -> list[Decision]:
    """Every decision that can be read, in order of time; of judged evaluations those that stopped a stage.

    ``to_go_on``: raises where one cannot be read that a run goes on from, for it may not act on the rest.
    """
    shelves = {one: kind.all(store, study) for one, kind in _KINDS.items() if one not in (*_MANY, Stopped)}
    for one in _BINDING if to_go_on else ():
        shelves[one].all_good()
    found: list[Decision] = [value for shelf in shelves.values() for value in shelf.values.values()]
    stopped = STOPPED.known(store, study)  # it may repeat what a policy said as it ended
    ends = [one.reason.lower() for one in found if one.kind == "stop"]
    if stopped is not None and not any(reason.startswith(stopped.reason.lower()) for reason in ends):
        found.append(stopped)
    return sorted(found, key=lambda one: one.time)


def keep(store: ArtifactStore, study: str, decision: D) -> D:
    """The decision as the store has it now: with its time; as it was, where it was kept before.

    Of two drivers that draw the same proposal the first one's stands, and comes back to both.
    """
    if decision.time:
        return decision
    kind, kept = _KINDS[type(decision)], replace(decision, time=time.time())
    parts = (study, *kind.own_parts(kept))
    if kind.write(store, kept, *parts, create_only=kind is PROPOSALS):
        return kept
    first: D = kind.read(store, *parts) or kept
    return first
