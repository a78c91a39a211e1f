"""Decisions: all that a study decided on its own, each with the reason that was written down when it was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from stilts.fingerprint import Json
from stilts.store.artifact_store import ArtifactStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: when (Unix time), what kind, what it is about, what was decided, and why.

    Kinds: ``cells`` (replicates that a policy asked for), ``stop`` (the policy or the budget ended the study),
    ``proposal`` (a drawn recipe), ``pruned`` (a stage that was stopped) and ``race`` (seeds of a proposal).
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
    for folder, read in _FOLDERS.items():
        values = store.named_records(store.records(f"studies/{study}/{folder}"))
        for name, value in values.items():
            if isinstance(value, dict):
                found.append(read(name.removeprefix(f"studies/{study}/{folder}/"), value))
    stopped = store.read_record(f"studies/{study}/stopped")
    if isinstance(stopped, dict) and not any(
        one.reason.lower().startswith(str(stopped["reason"]).lower()) for one in found
    ):
        found.append(_made(stopped, "stop", study, "nothing more is run"))
    return sorted(found, key=lambda one: one.time)


def _cells(name: str, value: Mapping[str, Json]) -> Decision:
    asked = value["replicates"]
    count = len(asked) if isinstance(asked, list) else 0
    if value.get("kind") == "stop":
        return _made(value, "stop", str(value["policy"]), "; ".join(_choices(value)) or "nothing more is run")
    shown = ", ".join(str(one) for one in asked[:4]) if isinstance(asked, list) else ""
    decided = f"{count} replicates: {shown}" + (f" and {count - 4} more" if count > 4 else "")
    return _made(value, "cells", str(value["policy"]), decided)


def _choices(value: Mapping[str, Json]) -> Iterator[str]:
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            sure = choice.get("probability")
            doubt = f" (best with probability {sure:.0%})" if isinstance(sure, float) else ""
            yield f"{choice['source']} for {choice['target']}{doubt}"


def _proposal(name: str, value: Mapping[str, Json]) -> Decision:
    return _made(value, "proposal", name, _params(value.get("params")))


def _params(params: Json) -> str:
    if not isinstance(params, dict):
        return str(params)
    inner = (f"{key} {_params(item) if isinstance(item, dict) else item}" for key, item in params.items())
    return ", ".join(inner)


def _pruned(name: str, value: Mapping[str, Json]) -> Decision:
    at = f" at step {value['step']} of {value['steps']}" if "step" in value and "steps" in value else ""
    return _made(value, "pruned", name, f"stopped{at}")


def _race(name: str, value: Mapping[str, Json]) -> Decision:
    return _made(value, "race", name, f"{value.get('seeds')} seeds")


def _made(value: Mapping[str, Json], kind: str, about: str, decided: str) -> Decision:
    reason, time = str(value.get("reason") or ""), float(str(value.get("time") or 0.0))
    details = {key: item for key, item in value.items() if key not in ("reason", "time", "kind")}
    return Decision(time=time, kind=kind, about=about, decided=decided, reason=reason, details=details)


_FOLDERS: Mapping[str, Callable[[str, Mapping[str, Json]], Decision]] = {
    "decisions": _cells,
    "proposals": _proposal,
    "pruned": _pruned,
    "races": _race,
}
