"""The sentences of an answer: what qualifies it, and what it would take to be surer."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stilts.analysis.matrix import State
from stilts.metrics.comparison import Comparison, replicates_needed
from stilts.metrics.resampling import Side
from stilts.study.record import NONE_ROW, Column, StudyRecord


def notes_on(record: StudyRecord, column: Column, row: str | None, report: pd.DataFrame) -> tuple[str, ...]:
    """What a reader must know beside the figures: search, overlap, replicates and rows that are not there.

    ``report`` is the column's part of ``matrix.cells``, by row.
    """
    notes = [_search_note(record, row), _overlap_note(record, column, row)]
    if row is not None and report["num_done"].get(row) == 1:
        notes.append(f"{row} has one replicate: its figures are of the model that was trained")
    notes.append(_unfinished_note(report))
    if report["num_done"].get(NONE_ROW, 0) == 0:
        notes.append(f'gains are unknown until "{NONE_ROW}" is done')
    return tuple(note for note in notes if note)


def advice_line(row: str | None, sides: Mapping[str, Side], compared: Comparison) -> str:
    """One line on what more replicates would bring; ``row`` is compared with the highest other row."""
    if row is None:
        return "nothing is done yet"
    others = [name for name in sides if name != row]
    if not others:
        return "there is no other row to compare with"
    rival = max(others, key=lambda name: sides[name].mean)
    if row not in compared.equals:
        return f"on report {rival} is higher than {row} beyond chance: do not count on this choice"
    if len(compared.equals) == 1 and not compared.conditional:
        return f"{row} stands alone: no more replicates are needed"
    if compared.conditional:
        return "a second replicate of each would show how much of the differences the seeds make"
    further = replicates_needed(sides[row], sides[rival])
    if further.number is None:
        return f"{row} against {rival}: {further.reason}"
    # 80 % power for the pair can be reached while the joint comparison over all rows is still open.
    number = max(further.number, 1)
    count = "1 more replicate" if number == 1 else f"{number} more replicates"
    return f"about {count} of each would tell {row} from {rival} (80 % power)"


def _search_note(record: StudyRecord, row: str | None) -> str:
    tried = {item.name: item.num_proposals if item.searched else 1 for item in record.rows}
    if row is None or tried.get(row, 1) <= tried.get(NONE_ROW, 1):
        return ""
    return (
        f"{row} is the best of {tried[row]} proposals, {NONE_ROW} of {tried.get(NONE_ROW, 1)}: "
        "part of its lead may be the search's"
    )


def _overlap_note(record: StudyRecord, column: Column, row: str | None) -> str:
    reasons = [why for name, target, why in record.overlaps if (name, target) == (row, column.name)]
    return f"overlap: {'; '.join(reasons)}" if reasons else ""


def _unfinished_note(report: pd.DataFrame) -> str:
    open_cells = report[report["state"] != State.DONE]
    states = [
        f"{name} {cell['state']} ({cell['num_done']} of {cell['num_planned']} replicates done)"
        for name, cell in open_cells.iterrows()
    ]
    return f"not complete: {', '.join(states)}" if states else ""
