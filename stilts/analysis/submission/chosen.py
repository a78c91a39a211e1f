"""Which replicates are submitted: one per target that the official scorer knows, chosen as ``stilts export`` does."""

from __future__ import annotations

from stilts.analysis.champion import find_replicate
from stilts.analysis.results import StudyResults
from stilts.analysis.submission.fitting import SCORED_AS, LeftOut, reason_against
from stilts.errors import StiltsError, UnknownNameError
from stilts.study.record import Replicate


def submitted_replicates(
    results: StudyResults, target: str | None, row: str | None, seed: str | None
) -> tuple[list[Replicate], list[LeftOut]]:
    """One replicate per target that can be exported; errors of a target are its reasons, unless it was named."""
    names = [each.name for each in results.record.rows]
    if row is not None and row not in names:
        raise UnknownNameError("row", row, names)
    columns = results.record.columns if target is None else (results.column(target),)
    chosen: list[Replicate] = []
    left: list[LeftOut] = []
    taken: dict[str, str] = {}
    # Of two targets for one folder the one with the scorer's own measure comes first.
    for column in sorted(columns, key=lambda each: each.task not in SCORED_AS):
        task = SCORED_AS.get(column.task, column.task)
        reason = reason_against(column) or _second(task, taken)
        if not reason:
            try:
                chosen.append(find_replicate(results, column.name, row, seed))
                taken[task] = column.name
            except StiltsError as error:
                if target is not None:
                    raise
                reason = f"{error.found}. {error.next_step}"
        if reason:
            left.append(LeftOut(target=column.name, language=None, reason=reason))
    return chosen, left


def _second(task: str, taken: dict[str, str]) -> str:
    """Why a target cannot come along whose folder another one fills."""
    other = taken.get(task)
    return f"{other} has the same task {task}; name this one with --target" if other else ""
