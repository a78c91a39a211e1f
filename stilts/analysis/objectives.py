"""One answer over several targets: which single row is best by an objective.

The row is chosen by its mean over the targets that have a selection score, and described on ``report`` over all targets
of the objective. A row that lacks a cell is listed and never averaged over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

import pandas as pd

from stilts.analysis.matrix import language_scores
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.totals import Total, total_interval, total_of
from stilts.errors import InputError, UnknownNameError
from stilts.fingerprint import Json, plain
from stilts.metrics.averages import RETRIEVAL_GROUP
from stilts.metrics.comparison import holm
from stilts.metrics.objectives import NO_RETRIEVAL, OBJECTIVES, WORST, worst_language
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW, Column


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """One row under an objective: its mean selection score, and score and gain over ``none`` on ``report``.

    ``gain`` is None for ``none`` itself, and where that is not complete; ``p_adjusted`` is Holm's over the rows.
    """

    row: str
    select_score: float
    score: Interval
    gain: Interval | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveAnswer:
    """The single row to train on first for all ``targets``, by ``objective``; ``rows`` are ordered by the choice.

    ``left_out`` are targets without a selection score: they do not choose, and stand in the figures. ``incomplete``
    maps rows that could not take part to the targets that they lack. ``chosen`` is None where no row is complete.
    """

    objective: str
    description: str
    targets: tuple[str, ...]
    chosen: str | None
    chosen_by: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: tuple[ObjectiveRow, ...]
    incomplete: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The answer as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def objective_answer(results: StudyResults, objective: str) -> ObjectiveAnswer:
    """The row that does best by an objective: a name of ``OBJECTIVES``, or a target.

    UnknownNameError for another name. InputError where the choice would have to be made on ``report``: a target without
    selection scores, or single languages under ``english_dev``.
    """
    columns = _columns(results, objective)
    choosing = [column for column in columns if column.select_languages]
    _check_choosable(results, objective, columns, choosing)
    sides = {column.name: results.sides(column.name) for column in columns}
    select = _select_scores(results, choosing, worst=objective == WORST)
    complete, incomplete = split_rows(results, columns, select)
    totals = {name: total_of(_taken(sides, name, worst=objective == WORST)) for name in complete}
    rows = _rows(totals, select)
    return ObjectiveAnswer(
        objective=objective,
        description=OBJECTIVES.get(objective, f"score on {objective}"),
        targets=tuple(column.name for column in columns),
        chosen=rows[0].row if rows else None,
        chosen_by=tuple(column.name for column in choosing),
        left_out=tuple(column.name for column in columns if column not in choosing),
        rows=rows,
        incomplete=incomplete,
        notes=(*_caution(rows), *_notes(results, columns, choosing, totals)),
    )


def split_rows(
    results: StudyResults, columns: Sequence[Column], select: Mapping[str, float]
) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The rows scored in every one of the columns, and for each other row the columns that it lacks."""
    complete: list[str] = []
    incomplete: dict[str, tuple[str, ...]] = {}
    for row in results.record.rows:
        lacks = tuple(column.name for column in columns if row.name not in results.sides(column.name))
        if lacks or row.name not in select:
            incomplete[row.name] = lacks or ("a selection score",)
        else:
            complete.append(row.name)
    return complete, incomplete


def select_means(results: StudyResults, columns: Iterable[Column]) -> dict[str, float]:
    """Each row's mean selection score over the columns; rows that lack one are absent."""
    names = [column.name for column in columns]
    table = results.select_cells
    found = zip(table["row"], table["column"], table["score"], strict=True)
    scores = {(row, name): score for row, name, score in found if not pd.isna(score)}
    rows = [row.name for row in results.record.rows]
    whole = [row for row in rows if names and all((row, name) in scores for name in names)]
    return {row: fmean(scores[row, name] for name in names) for row in whole}


def _columns(results: StudyResults, objective: str) -> list[Column]:
    columns = targets_of(results.record)
    if objective == NO_RETRIEVAL:
        return [column for column in columns if column.group != RETRIEVAL_GROUP]
    if objective in OBJECTIVES:
        return list(columns)
    own = [column for column in columns if column.name == objective]
    if not own:
        raise UnknownNameError("objective", objective, [*OBJECTIVES, *(column.name for column in columns)])
    return own


def _check_choosable(
    results: StudyResults, objective: str, columns: Sequence[Column], choosing: Sequence[Column]
) -> None:
    selection = results.record.selection
    if objective == WORST and selection != "target_dev":
        raise InputError(
            f"objective {WORST}",
            f"the study selects by {selection}: English alone has selection scores",
            "Choosing by other languages would be choosing on report, and the choice an oracle",
            "Set selection: target_dev in the study file, or ask for another objective",
        )
    if not choosing:
        names = ", ".join(column.name for column in columns) or "no target"
        raise InputError(
            f"objective {objective}",
            f"{names} has no selection score under selection: {selection}",
            "Choosing on report would be an oracle, and its figures too good",
            'Set selection: target_dev, or read the oracle with "stilts best --target"',
        )


def _select_scores(results: StudyResults, choosing: Sequence[Column], *, worst: bool) -> dict[str, float]:
    if not worst:
        return select_means(results, choosing)
    table = language_scores(results.record, results.frame, "select")
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row, column, language, score in table[["row", "column", "language", "score"]].itertuples(index=False):
        found.setdefault(str(row), {}).setdefault(str(column), {})[str(language)] = float(score)
    names = [column.name for column in choosing]
    whole = [row.name for row in results.record.rows if set(names) <= found.get(row.name, {}).keys()]
    return {row: worst_language({name: found[row][name] for name in names}) for row in whole}


def _taken(sides: Mapping[str, Mapping[str, Side]], row: str, *, worst: bool) -> dict[str, Side]:
    """A row's sides by target; for the worst language that language alone, the lowest on ``report``, as if fixed."""
    own = {name: by_row[row] for name, by_row in sides.items()}
    if not worst:
        return own
    return {name: side.of([min(side.languages, key=lambda x: side.of([x]).mean)]) for name, side in own.items()}


def _rows(totals: Mapping[str, Total], select: Mapping[str, float]) -> tuple[ObjectiveRow, ...]:
    base = totals.get(NONE_ROW)
    gains = {name: total_interval(t, base) for name, t in totals.items() if base and name != NONE_ROW}
    adjusted = dict(zip(gains, holm([interval.p_value for interval in gains.values()]), strict=True))
    rows = [
        ObjectiveRow(
            row=name,
            select_score=select[name],
            score=total_interval(total),
            gain=gains.get(name),
            p_adjusted=adjusted.get(name),
        )
        for name, total in totals.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.select_score))


def _caution(rows: Sequence[ObjectiveRow]) -> list[str]:
    """What must be said first where the choice on ``select`` is not borne out on ``report``."""
    if not rows or rows[0].gain is None or rows[0].gain.high >= 0:
        return []
    return [f"on report {rows[0].row} is below {NONE_ROW}, its interval too: do not count on this choice"]


def _notes(
    results: StudyResults, columns: Sequence[Column], choosing: Sequence[Column], totals: Mapping[str, Total]
) -> tuple[str, ...]:
    left_out = [column.name for column in columns if column not in choosing]
    notes = []
    if left_out:
        notes.append(
            f"{', '.join(left_out)}: no selection score under selection: {results.record.selection}, "
            "so it chooses nothing and stands in the figures only"
        )
    notes += [
        f"{name} stands with its own chosen proposal on each target: {count} recipes, not one intermediate"
        for name, count in _num_recipes(results, [column.name for column in columns]).items()
        if count > 1
    ]
    unshared = [name for name, total in totals.items() if name != NONE_ROW and not total.shared]
    if unshared and len(columns) > 1:
        notes.append(
            "seed variances of the targets are summed as if independent (no two intermediate seeds common to all "
            f"targets): intervals of {', '.join(unshared)} may be too narrow"
        )
    return tuple(notes)


def _num_recipes(results: StudyResults, columns: Sequence[str]) -> dict[str, int]:
    """How many different proposals stand in the cells of each searched row."""
    table = results.cells[results.cells["column"].isin(list(columns)) & results.cells["proposal"].notna()]
    return {str(row): int(count) for row, count in table.groupby("row", sort=False)["proposal"].nunique().items()}
