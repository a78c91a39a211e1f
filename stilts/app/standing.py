"""Where a study stands, as plain values: its stages, and the states of its replicates cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stilts.app.places import load_record, open_store_at
from stilts.app.soundness import tell_damage
from stilts.ledger.state import State, worst
from stilts.ledger.typed import to_fields
from stilts.ledger.view import StudyView
from stilts.study.stage_names import stage_names


def failed_stages(study: str, store: str | None, failed: Mapping[str, str]) -> list[dict[str, str]]:
    """What each stage that failed in a run is called, why it failed, and on which node; sorted by name."""
    opened = open_store_at(store)
    record = load_record(study, opened)
    names, kept = stage_names(record), StudyView(record=record, store=opened).failures.values
    found = [
        {
            "stage": stage,
            "name": names.get(stage, stage),
            "error": error,
            "node": kept[stage].node if stage in kept else "",
        }
        for stage, error in failed.items()
    ]
    return sorted(found, key=lambda one: one["name"])


def standing(study: str, store: str | None) -> dict[str, Any]:
    """Counts of stages and replicates, a state for each cell that is asked for, why stages failed, what is damaged.

    ``names`` says what the failed stages are called. What is damaged is also told on standard error.
    """
    opened = open_store_at(store)
    record = load_record(study, opened)
    view = StudyView(record=record, store=opened)
    faults, failures = view.faults, view.failures.values
    by_cell: dict[tuple[str, str], list[State]] = {}
    for one in record.replicates:
        by_cell.setdefault((one.row, one.column), []).append(view.replicate_state(one, "report"))
    stages = Counter(map(view.stage_state, record.stages))
    names = stage_names(record)
    tell_damage(record.name, faults)
    return {
        "study": record.name,
        "rows": [row.name for row in record.rows],
        "columns": [column.name for column in record.columns],
        "cells": [
            {
                "row": row,
                "column": column,
                "state": str(worst(states)),
                "done": states.count(State.DONE),
                "planned": len(states),
            }
            for (row, column), states in by_cell.items()
        ],
        "replicates": dict(Counter(str(state) for states in by_cell.values() for state in states).most_common()),
        "stages": {"total": len(record.stages), "done": stages[State.DONE], "failed": len(failures)},
        "failures": {stage: to_fields(failure) for stage, failure in sorted(failures.items())},
        "names": {stage: names[stage] for stage in sorted(failures) if stage in names},
        "damaged": {key: fault.found for key, fault in faults.items()},
    }
