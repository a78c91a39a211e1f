"""What ``explain`` says of a stage or a cell, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stilts.analysis.results import StudyResults
from stilts.analysis.story import CellStory, cell_story, stage_words
from stilts.app.places import is_file, load_record, open_store_at
from stilts.app.searching import drawn_proposals
from stilts.app.workspace import assemble
from stilts.errors import InputError, UnknownNameError
from stilts.fingerprint import Json
from stilts.ledger.records import PROPOSALS, number_part
from stilts.ledger.typed import to_fields
from stilts.ledger.view import StudyView
from stilts.store.store import Store
from stilts.study.planning import make_plan
from stilts.study.record import StudyRecord, lineage, outputs_of
from stilts.study.stage_names import cell_address
from stilts.study.study import Study


def story_of(study: str, what: str, store_address: str | None, language: str | None) -> CellStory | None:
    """The story of a cell; None where ``what`` is a stage of the study. UnknownNameError where it is neither."""
    store = open_store_at(store_address)
    record = load_record(study, store)
    if what in record.stages:
        return None
    row, column = _cell(what, record)
    results = StudyResults(record=record, store=store)
    if language is not None and language not in results.column(column).languages:
        raise UnknownNameError("language", language, results.column(column).languages, where=f"of {column}")
    return cell_story(results, row, column)


def explanation(study: str, what: str, store_address: str | None, *, why_rerun: bool) -> dict[str, Any]:
    """A mapping of what is known of a stage, or why a stage's or cell's stages run again.

    UnknownNameError where the study has neither.
    """
    store = open_store_at(store_address)
    if why_rerun:
        return _why_rerun(study, what, store)
    record = load_record(study, store)
    if what not in record.stages:
        raise _unknown(what, record)
    return _stage(what, record, store)


def chosen_recipes(results: StudyResults) -> list[dict[str, Any]]:
    """What each searched row's chosen proposal is, per target: its number and its parameters."""
    record, table = results.record, results.cells
    found = []
    for row, target, number in table[table["proposal"].notna()][["row", "column", "proposal"]].itertuples(index=False):
        value = PROPOSALS.read(results.store, record.name, row, number_part(int(number)))
        params = dict(value.params) if value else None
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


def _cell(what: str, record: StudyRecord) -> tuple[str, str]:
    """Row and column of a cell as written, ``row/column`` or ``row>column``, with or without a replicate's seeds."""
    row, _, rest = what.replace(">", "/", 1).partition("/")
    column = rest.partition("/")[0]
    if not any((replicate.row, replicate.column) == (row, column) for replicate in record.replicates):
        raise _unknown(what, record)
    return row, column


def _unknown(what: str, record: StudyRecord) -> UnknownNameError:
    cells = [cell_address(row.name, column.name) for row in record.rows for column in record.columns]
    return UnknownNameError("stage or cell", what, cells, where="stage ids: stilts plan STUDY --json")


def _stage(stage_id: str, record: StudyRecord, store: Store) -> dict[str, Any]:
    stage, view = record.stages[stage_id], StudyView(record=record, store=store)
    value: dict[str, Any] = {
        "stage": stage_id,
        "state": stage_words(stage_id, view),
        "lineage": " < ".join(lineage(stage_id, record.stages)),
        "needed by": [str(child) for child, fields in record.stages.items() if fields["parent"] == stage_id],
    }
    done = [key for key in outputs_of(stage) if store.is_done(key)]
    if done:
        value["payload"] = store.payload(done[0])
        result = store.result(done[0])
        value["result"] = {
            key: item for key, item in result.items() if key not in ("curve", "stage_id", "kind", "name", "parent")
        }
    troubles = {"failure": view.failure(stage_id), "pruned": view.pruning(stage_id)}
    return value | {name: to_fields(trouble) for name, trouble in troubles.items() if trouble is not None}


def _why_rerun(study: str, what: str, store: Store) -> dict[str, Any]:
    """Why a planned stage, or each stage of a planned cell, is run again: the fields in which it is new."""
    payloads, record = _planned(study, store)
    if what in payloads:
        return _why(what, payloads, store)
    row, column = _cell(what, record)
    stages = dict.fromkeys(
        stage
        for replicate in record.replicates
        if (replicate.row, replicate.column) == (row, column)
        for stage in (replicate.intermediate_stage, replicate.target_stage, replicate.evaluate_stage)
        if stage is not None
    )
    return {"cell": cell_address(row, column), "stages": [_why(stage, payloads, store) for stage in stages]}


def _why(stage_id: str, payloads: Mapping[str, Json], store: Store) -> dict[str, Any]:
    """The fields of a planned stage's payload that differ from those of the most similar stored stage."""
    done = store.done()
    if any(key == stage_id or key.startswith(f"{stage_id}/") for key in done):
        if stage_id in done and store.gone(stage_id):
            answer = "it is done and its weights were dropped: it is trained again for a stage that starts from it"
            return {"stage": stage_id, "answer": answer}
        return {"stage": stage_id, "answer": "it is done in this store and is not run again"}
    name = stage_id.rsplit("-", 1)[0]
    alike = {key.split("/")[0]: key for key in sorted(done, reverse=True) if key.startswith(f"{name}-")}
    compared = {
        other: list(differences(payloads[stage_id], _stored_payload(key, store))) for other, key in alike.items()
    }
    if not compared:
        return {"stage": stage_id, "answer": f"no stage {name}-... was ever done in this store"}
    nearest = min(compared, key=lambda other: (len(compared[other]), other))
    return {
        "stage": stage_id,
        "answer": f"the most similar stage that is done is {nearest}",
        "differs in": [{"field": field, "planned": new, "stored": old} for field, new, old in compared[nearest]],
    }


def _planned(study: str, store: Store) -> tuple[dict[str, Json], StudyRecord]:
    """The payloads of the stages that the study file plans, with the proposals drawn so far, and the plan's record."""
    if not is_file(study):
        raise InputError(
            f'"{study}" with --why-rerun',
            "it is the name of a study, not a file",
            "What would run is planned from the study file",
            "Give the file, for example search_spaces/demo.yaml",
        )
    resolved = assemble(Study.load(study)).resolved
    plan = make_plan(resolved, drawn_proposals(resolved, store))
    return {stage_id: dict(stage.payload) for stage_id, stage in plan.stages.items()}, plan.record


def _stored_payload(key: str, store: Store) -> Json:
    """The payload without what an evaluation's outputs add to it."""
    return {name: value for name, value in store.payload(key).items() if name not in ("use", "view")}
