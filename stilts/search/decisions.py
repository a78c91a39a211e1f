"""Decisions: all that a study decided on its own, each with the reason that was written down when it was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stilts.fingerprint import Json
from stilts.ledger.records import (
    CONFIRMATIONS,
    DECISIONS,
    GRANTS,
    PROPOSALS,
    PRUNED,
    STOPPED,
    CellsDecision,
    Confirmation,
    Grant,
    ProposalRecord,
    Pruned,
    RecordKind,
    Stopped,
)
from stilts.ledger.typed import to_fields
from stilts.store.artifact_store import ArtifactStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: when (Unix time), what kind, what it is about, what was decided, and why.

    Kinds: ``cells`` (replicates that a policy asked for), ``stop`` (the policy or the budget ended the study),
    ``proposal`` (a drawn recipe), ``pruned`` (a stage that was stopped), ``race`` (seeds of a proposal) and
    ``confirmation`` (the recipes of a searched row that are trained again with fresh seeds).
    """

    time: float
    kind: str
    about: str
    decided: str
    reason: str
    details: Mapping[str, Json]


def decisions(store: ArtifactStore, study: str) -> list[Decision]:
    """Every decision that the store holds of a study, in order of time."""
    found: list[Decision] = []
    for kind, read in _READERS.items():
        found += [read(name, value) for name, value in kind.all(store, study).values.items()]
    stopped = STOPPED.known(store, study)  # it repeats what the last decision says
    if stopped is not None and not any(one.reason.lower().startswith(stopped.reason.lower()) for one in found):
        found.append(_made(stopped, "stop", study, "nothing more is run"))
    return sorted(found, key=lambda one: one.time)


def _cells(name: str, value: CellsDecision) -> Decision:
    if value.kind == "stop":
        return _made(value, "stop", value.policy, "; ".join(_choices(value)) or "nothing more is run")
    count, shown = len(value.replicates), ", ".join(value.replicates[:4])
    decided = f"{count} replicates: {shown}" + (f" and {count - 4} more" if count > 4 else "")
    return _made(value, "cells", value.policy, decided)


def _choices(value: CellsDecision) -> Iterator[str]:
    for choice in value.choices:
        sure = choice.get("probability")
        doubt = f" (best with probability {sure:.0%})" if isinstance(sure, float) else ""
        yield f"{choice.get('source')} for {choice.get('target')}{doubt}"


def _proposal(name: str, value: ProposalRecord) -> Decision:
    return _made(value, "proposal", name, _params(dict(value.params)))


def _params(params: Json) -> str:
    if not isinstance(params, dict):
        return str(params)
    inner = (f"{key} {_params(item) if isinstance(item, dict) else item}" for key, item in params.items())
    return ", ".join(inner)


def _pruned(name: str, value: Pruned) -> Decision:
    return _made(value, "pruned", name, f"stopped at step {value.step} of {value.steps}")


def _race(name: str, value: Grant) -> Decision:
    return _made(value, "race", name, f"{value.seeds} seeds")


def _confirmation(name: str, value: Confirmation) -> Decision:
    """The chosen recipes of a row, those that stand for several objectives once."""
    by_number: dict[int, list[str]] = {}
    for objective, number in value.chosen.items():
        by_number.setdefault(number, []).append(objective)
    decided = "; ".join(f"proposal {number} for {', '.join(names)}" for number, names in by_number.items())
    reason = " ".join(dict.fromkeys(value.reasons.values()))
    chosen: Json = {objective: int(number) for objective, number in value.chosen.items()}
    return Decision(
        time=value.time, kind="confirmation", about=name, decided=decided, reason=reason, details={"chosen": chosen}
    )


def _made(
    value: CellsDecision | ProposalRecord | Pruned | Grant | Stopped, kind: str, about: str, decided: str
) -> Decision:
    fields = {key: list(item) if isinstance(item, tuple) else item for key, item in to_fields(value).items()}
    details = {
        key: item
        for key, item in fields.items()
        if key not in ("reason", "time", "kind") and (key, item) != ("from", None)
    }
    return Decision(time=value.time, kind=kind, about=about, decided=decided, reason=value.reason, details=details)


_READERS: Mapping[RecordKind[Any], Callable[[str, Any], Decision]] = {
    DECISIONS: _cells,
    PROPOSALS: _proposal,
    PRUNED: _pruned,
    GRANTS: _race,
    CONFIRMATIONS: _confirmation,
}
