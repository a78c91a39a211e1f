"""Which proposal of a searched row stands in each of its cells: what its search chose, and confirmed if it has.

The choice itself is ``search/choice.py``'s, made on ``select`` by what the row was searched for. A row whose choice is
confirmed keeps it; until then the choice is the one that the search would make now.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from stilts.errors import InputError
from stilts.metrics.objectives import TargetScores
from stilts.search.choice import choose, in_cells
from stilts.search.objective import PER_TARGET
from stilts.study.record import NONE_ROW, Row, StudyRecord


def chosen_proposals(
    record: StudyRecord, frame: pd.DataFrame, objective: str | None = None
) -> dict[tuple[str, str], int]:
    """The proposal of each (row, column) of searched rows; absent where nothing can be chosen yet.

    ``frame`` is the study's (``matrix.load_matrix``); what is not done has no score and does not count. A row that was
    searched for ``objective`` among others stands with what it found for that one.
    """
    names = [column.name for column in record.columns]
    found: dict[tuple[str, str], int] = {}
    for row in (row for row in record.rows if row.searched):
        objectives = objectives_of(record, row)
        asked = (objective,) if objective is not None and objective in objectives else objectives
        for column, number in in_cells(asked, names, standing(record, frame, row)).items():
            found[row.name, column] = number
    return found


def standing(record: StudyRecord, frame: pd.DataFrame, row: Row) -> dict[str, int]:
    """The proposal that stands for each objective of a searched row, confirmed or as the search would choose now."""
    if row.confirmed:
        return dict(row.confirmed)
    try:
        chosen = choose(
            objectives_of(record, row), record.columns, record.selection, _scores(frame, row.name), _none(frame)
        )
    except InputError:  # a study that was changed since may have lost what it searched for
        return {}
    return {objective: choice.proposal for objective, choice in chosen.items()}


def objectives_of(record: StudyRecord, row: Row) -> tuple[str, ...]:
    """What a searched row was searched for; of older records as their study file says it, else per target."""
    if row.objectives:
        return row.objectives
    value: object = record.settings
    for name in ("intermediates", row.name, "search", "objective"):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list | tuple) and value else (PER_TARGET,)


def of_search(frame: pd.DataFrame) -> pd.DataFrame:
    """The lines of a table of replicates that a search may look at: of proposals, and not of fresh seeds."""
    seedless = frame["intermediate_seed"].isna() & frame["target_seed"].isna()
    return frame[frame["proposal"].notna() & (~frame["confirms"] | seedless)]


def _scores(frame: pd.DataFrame, row: str) -> dict[int, TargetScores]:
    """Selection scores by proposal, target and language, means over the search's seeds, of what is wholly done."""
    parts = of_search(frame[(frame["row"] == row) & (frame["use"] == "select")])
    whole = parts.groupby("replicate_id")["score"].transform(lambda scores: scores.notna().all()).astype(bool)
    means = parts[whole].groupby(["proposal", "column", "language"], sort=False)["score"].mean().reset_index()
    found: dict[int, dict[str, dict[str, float]]] = {}
    for number, column, language, score in zip(*(means[name] for name in means.columns), strict=True):
        found.setdefault(int(number), {}).setdefault(str(column), {})[str(language)] = float(score)
    return dict(found)


def _none(frame: pd.DataFrame) -> TargetScores:
    """The baseline's selection scores by target and language, of its best proposal where it is searched."""
    parts = frame[(frame["row"] == NONE_ROW) & (frame["use"] == "select") & frame["score"].notna()]
    best: dict[str, dict[str, float]] = {}
    for (column, _), group in parts.groupby(["column", parts["proposal"].fillna(-1)], sort=False):
        by_language = {str(name): float(score) for name, score in group.groupby("language")["score"].mean().items()}
        known = best.get(str(column))
        if known is None or sum(by_language.values()) > sum(known.values()):
            best[str(column)] = by_language
    return best
