"""What ``explain`` says of a stage or a cell, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stilts.cli.compose import assemble, load_record, open_store_at
from stilts.errors import UnknownNameError
from stilts.fingerprint import Json
from stilts.store.store import Store
from stilts.study.record import StudyRecord, outputs_of
from stilts.study.study import Study


def explanation(study: str, what: str, store_address: str | None, *, why_rerun: bool) -> dict[str, Any]:
    """A mapping of what is known of a stage or a cell; UnknownNameError where the study has neither."""
    store = open_store_at(store_address, create=False)
    record = load_record(study, store)
    if why_rerun:
        return _why_rerun(study, what, store, record)
    if what in record.stages:
        return _stage(what, record, store)
    row, _, column = what.partition(">")
    found = [r for r in record.replicates if r.row == row and r.column == column.partition("/")[0]]
    if not found:
        cells = {f"{replicate.row}>{replicate.column}" for replicate in record.replicates}
        raise UnknownNameError("stage or cell", what, {*record.stages, *cells})
    return {
        "cell": what,
        "overlap": next((why for r, c, why in record.overlaps if (r, c) == (row, column)), "none"),
        "replicates": [
            {
                "replicate": replicate.replicate_id,
                "stages": {
                    stage_id: _brief(stage_id, store)
                    for stage_id in (replicate.intermediate_stage, replicate.target_stage, replicate.evaluate_stage)
                    if stage_id is not None
                },
                "scores": {
                    use: {language: _score(key, store) for language, key in outputs.items()}
                    for use, outputs in replicate.outputs.items()
                },
            }
            for replicate in found
        ],
    }


def chosen_recipes(record: StudyRecord, store: Store) -> list[dict[str, Any]]:
    """What each searched row's chosen proposal is, per target: its number and its parameters."""
    from stilts.analysis.matrix import cells, load_matrix

    table = cells(record, load_matrix(record, store))
    found = []
    for row, target, number in table[table["proposal"].notna()][["row", "column", "proposal"]].itertuples(index=False):
        value = store.read_record(f"studies/{record.name}/proposals/{row}/{int(number):04d}")
        params = value["params"] if isinstance(value, dict) else None
        found.append({"row": row, "target": target, "proposal": int(number), "params": params})
    return found


def differences(left: Json, right: Json, at: str = "") -> Iterator[tuple[str, Json, Json]]:
    """(field, left value, right value) for every field in which two payloads differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            yield from differences(left.get(key), right.get(key), f"{at}.{key}" if at else key)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif left != right:
        yield at, left, right


def _stage(stage_id: str, record: StudyRecord, store: Store) -> dict[str, Any]:
    stage = record.stages[stage_id]
    lineage = [stage_id]
    while (parent := record.stages[lineage[-1]]["parent"]) is not None:
        lineage.append(str(parent))
    value: dict[str, Any] = {
        "stage": stage_id,
        "state": _brief(stage_id, store),
        "lineage": " < ".join(lineage),
        "needed by": [str(child) for child, fields in record.stages.items() if fields["parent"] == stage_id],
    }
    done = [key for key in outputs_of(stage) if store.is_done(key)]
    if done:
        value["payload"] = store.payload(done[0])
        result = store.result(done[0])
        value["result"] = {
            key: item for key, item in result.items() if key not in ("curve", "stage_id", "kind", "name", "parent")
        }
    failure = store.read_record(f"failures/{stage_id}")
    pruned = store.read_record(f"studies/{record.name}/pruned/{stage_id}")
    return value | ({"failure": failure} if failure else {}) | ({"pruned": pruned} if pruned else {})


def _why_rerun(study: str, what: str, store: Store, record: StudyRecord) -> dict[str, Any]:
    """The fields of a planned stage's payload that differ from those of the most similar stored stage."""
    payloads = _planned_payloads(study)
    if what not in payloads:
        raise UnknownNameError("stage", what, payloads)
    planned = payloads[what]
    if any(key == what or key.startswith(f"{what}/") for key in store.done()):
        return {"stage": what, "answer": "it is done in this store and is not run again"}
    name = what.rsplit("-", 1)[0]
    alike = sorted({key.split("/")[0] for key in store.done() if key.startswith(f"{name}-")})
    compared = {stage_id: list(differences(planned, _stored_payload(stage_id, store))) for stage_id in alike}
    if not compared:
        return {"stage": what, "answer": f"no stage {name}-... was ever done in this store"}
    nearest = min(compared, key=lambda stage_id: len(compared[stage_id]))
    return {
        "stage": what,
        "answer": f"the most similar stage that is done is {nearest}",
        "differs in": [{"field": field, "planned": new, "stored": old} for field, new, old in compared[nearest]],
    }


def _planned_payloads(study: str) -> dict[str, Json]:
    if Path(study).suffix not in (".yaml", ".yml"):
        raise UnknownNameError("study file", study, [], where="--why-rerun plans the study, so it needs its file")
    plan = assemble(Study.load(study)).planner.plan()
    return {stage_id: dict(stage.payload) for stage_id, stage in plan.stages.items()}


def _stored_payload(stage_id: str, store: Store) -> Json:
    """The payload without what an evaluation's outputs add to it."""
    key = next(key for key in store.done() if key.split("/")[0] == stage_id)
    return {name: value for name, value in store.payload(key).items() if name not in ("use", "view")}


def _brief(stage_id: str, store: Store) -> str:
    if any(key.startswith(f"{stage_id}/") for key in store.done()):
        return "done"
    if store.is_done(stage_id):
        return "done, weights gone" if store.gone(stage_id) else "done"
    if stage_id in store.leased():
        return "pending"
    return "failed" if store.read_record(f"failures/{stage_id}") else "missing"


def _score(key: str, store: Store) -> Json:
    return store.result(key)["score"] if store.is_done(key) else None
