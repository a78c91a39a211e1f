"""Which proposal of a searched row stands in each of its cells: chosen on ``select``, never on ``report``.

On a column with a selection score it is the proposal with the highest one. On a column without (retrieval under
``english_dev``) it is the one with the highest mean, over the other columns, of its selection score less the row's mean
selection score there: the proposal that is best elsewhere, columns counting alike. Only proposals scored on the
most columns are compared. Among equals the lowest number wins; so does it where no column at all has a selection score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pandas as pd

from stilts.study.record import Row, StudyRecord

# proposal -> column -> mean selection score
_Scores: TypeAlias = Mapping[int, Mapping[str, float]]


def chosen_proposals(record: StudyRecord, select: pd.DataFrame) -> dict[tuple[str, str], int]:
    """The proposal of each (row, column) of searched rows; absent where nothing can be chosen yet.

    ``select`` holds one row per replicate with its score on ``select`` (``matrix.replicate_scores``); replicates that
    are not done have no score and do not count.
    """
    chosen: dict[tuple[str, str], int] = {}
    for row in (row for row in record.rows if row.searched):
        scores = _select_scores(select, row)
        for column in record.columns:
            if column.select_languages:
                values = {number: by[column.name] for number, by in scores.items() if column.name in by}
            else:
                values = _elsewhere(record, row, scores, column.name)
            if values:
                chosen[row.name, column.name] = min(values, key=lambda number: (-values[number], number))
    return chosen


def _select_scores(select: pd.DataFrame, row: Row) -> _Scores:
    done = select[(select["row"] == row.name) & select["score"].notna() & select["proposal"].notna()]
    scores: dict[int, dict[str, float]] = {}
    means = done.groupby(["proposal", "column"], as_index=False)["score"].mean()
    for number, column, score in zip(means["proposal"], means["column"], means["score"], strict=True):
        scores.setdefault(int(number), {})[str(column)] = float(score)
    return scores


def _elsewhere(record: StudyRecord, row: Row, scores: _Scores, column: str) -> dict[int, float]:
    """How far each proposal stands above the row's mean on the other columns, on average, in points."""
    others = {number: {name: s for name, s in by.items() if name != column} for number, by in scores.items()}
    most = max(map(len, others.values()), default=0)
    if not most:
        return _no_score_anywhere(record, row)
    full = {number: by for number, by in others.items() if len(by) == most}
    names = {name for by in full.values() for name in by}
    means = {name: _mean([by[name] for by in full.values() if name in by]) for name in names}
    return {number: _mean([score - means[name] for name, score in by.items()]) for number, by in full.items()}


def _no_score_anywhere(record: StudyRecord, row: Row) -> dict[int, float]:
    if any(column.select_languages for column in record.columns):
        return {}
    numbers = {r.proposal for r in record.replicates if r.row == row.name and r.proposal is not None}
    return dict.fromkeys(numbers, 0.0)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
