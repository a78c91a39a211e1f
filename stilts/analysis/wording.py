"""The sentences that qualify an answer: search, overlap, replicates and rows that are not there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stilts.ledger.state import State
from stilts.study.record import NONE_ROW, Column, StudyRecord

OVERLAP = "overlap: "


def notes_on(
    record: StudyRecord,
    column: Column,
    row: str | None,
    report: pd.DataFrame,
    unscored: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...]:
    """What a reader must know beside the figures, the overlap first.

    ``report`` is the column's part of ``matrix.cells``, by row; ``unscored`` is of the study's results.
    """
    overlap = overlap_of(record, column, row)
    notes = [f"{OVERLAP}{overlap}" if overlap else ""]
    if row is not None and report["num_done"].get(row) == 1:
        notes.append(f"{row} has one replicate: its figures are of the model that was trained")
    notes += [f"{row}: {note}" for each in record.rows if each.name == row for note in each.notes]
    notes += unscored_notes({column.name: unscored.get(column.name, {})})
    notes += [_unfinished_note(report), _left_out_note(report)]
    if report["num_done"].get(NONE_ROW, 0) == 0:
        notes.append(f'gains are unknown until "{NONE_ROW}" is done')
    return tuple(note for note in notes if note)


def overlap_of(record: StudyRecord, column: Column, row: str | None) -> str | None:
    """What the row shares with the target, data or source text; None where it has not."""
    reasons = [why for name, target, why in record.overlaps if (name, target) == (row, column.name)]
    return "; ".join(reasons) or None


def unscored_notes(unscored: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The languages of each target that have no score and stand in no mean, with the reasons."""
    notes = []
    for column, languages in unscored.items():
        for reason in dict.fromkeys(languages.values()):
            codes = ", ".join(code for code, why in languages.items() if why == reason)
            notes.append(f"{column} has no score in {codes} ({reason}), which no mean holds")
    return notes


def recipes_tried(record: StudyRecord, row: str | None) -> tuple[int, int]:
    """How many recipes the row was chosen from, and how many ``none`` was: 1 where nothing is searched."""
    tried = {item.name: item.num_proposals if item.searched else 1 for item in record.rows}
    return tried.get(row or "", 1), tried.get(NONE_ROW, 1)


def _unfinished_note(report: pd.DataFrame) -> str:
    open_cells = report[~report["state"].isin([State.DONE, State.LEFT_OUT])]
    states = [
        f"{name} {cell['state']} ({cell['num_done']} of {cell['num_planned']} replicates done)"
        for name, cell in open_cells.iterrows()
    ]
    return f"not complete: {', '.join(states)}" if states else ""


def _left_out_note(report: pd.DataFrame) -> str:
    left_out = [str(name) for name in report[report["state"] == State.LEFT_OUT].index]
    asked = "not tried: the selecting policy asked for other cells until it ended (why: stilts explain STUDY)"
    return f"{asked}: {', '.join(left_out)}" if left_out else ""
