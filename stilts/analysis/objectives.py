"""One answer over several targets: which single row is best by an objective.

The row is chosen by the objective's value on ``select``, over the targets that have a selection score, and described on
``report`` over all targets of the objective. A row that lacks a cell is listed and never averaged over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from stilts.analysis.matrix import language_scores
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.totals import Total, total_interval, total_of
from stilts.errors import InputError
from stilts.fingerprint import Json, plain
from stilts.metrics.averages import RETRIEVAL_GROUP
from stilts.metrics.comparison import holm
from stilts.metrics.objectives import FAMILY, LANGUAGE, NO_RETRIEVAL, OBJECTIVES, WORST
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval
from stilts.search.objective import PER_TARGET, Aim, Objective, describe, languages_in, make_aims
from stilts.study.record import NONE_ROW, Column


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """One row under an objective: its value on ``select``, and score and gain over ``none`` on ``report``.

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
    """The row that does best by an objective: any that a search knows, but ``per_target``.

    A searched row stands with the recipe that it found for this objective, if it was searched for it. UnknownNameError
    for another name. SelectionError where the choice would have to be made on ``report``: a target without selection
    scores, or single languages under ``english_dev``.
    """
    wanted = _objective(results, objective)
    results = results.under(objective)
    columns = _columns(results, objective)
    choosing = [column for column in columns if column.name in wanted.targets]
    sides = {column.name: results.sides(column.name) for column in columns}
    select = _select_values(results, wanted)
    complete, incomplete = split_rows(results, columns, select)
    totals = {name: total_of(_taken(sides, name, objective)) for name in complete}
    rows = _rows(totals, select, minimised=wanted.minimised)
    return ObjectiveAnswer(
        objective=objective,
        description=describe(objective),
        targets=tuple(column.name for column in columns),
        chosen=rows[0].row if rows else None,
        chosen_by=tuple(column.name for column in choosing),
        left_out=tuple(column.name for column in columns if column not in choosing),
        rows=rows,
        incomplete=incomplete,
        notes=(*_caution(rows), *_notes(results, columns, choosing, totals)),
    )


def _objective(results: StudyResults, name: str) -> Objective:
    """What the name means in this study, by the one definition that searches have too."""
    if name == PER_TARGET:
        raise InputError(
            f"objective {PER_TARGET}",
            "it has one answer for each target",
            "An objective chooses one row for all of them",
            "Leave --objective out, or name another one",
        )
    (aim,) = make_aims((name,), results.record.columns, results.record.selection, asking="stilts best --objective")
    return aim.objectives[0]


def split_rows(
    results: StudyResults, columns: Sequence[Column], select: Mapping[str, float]
) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The rows scored in every one of the columns, and for each other row the columns that it lacks."""
    complete: list[str] = []
    incomplete: dict[str, tuple[str, ...]] = {}
    for row in (each for each in results.record.rows if not each.control):
        lacks = tuple(column.name for column in columns if row.name not in results.sides(column.name))
        if lacks or row.name not in select:
            incomplete[row.name] = lacks or ("a selection score",)
        else:
            complete.append(row.name)
    return complete, incomplete


def _columns(results: StudyResults, objective: str) -> list[Column]:
    """The targets that an objective speaks of: those that choose by it, and those that only stand in its figures."""
    columns = targets_of(results.record)
    if objective == NO_RETRIEVAL:
        return [column for column in columns if column.group != RETRIEVAL_GROUP]
    if objective in OBJECTIVES:
        return list(columns)
    if objective.startswith((LANGUAGE, FAMILY)):
        return [column for column in columns if languages_in(objective, column.languages)]
    return [column for column in columns if column.name == objective]


def _select_values(results: StudyResults, objective: Objective) -> dict[str, float]:
    """Each row's value by the objective on ``select``; rows that lack a score that it needs are absent."""
    table = language_scores(results.record, results.frame, "select", objective=results.objective)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row, column, language, score in table[["row", "column", "language", "score"]].itertuples(index=False):
        found.setdefault(str(row), {}).setdefault(str(column), {})[str(language)] = float(score)
    aim, none = Aim(objectives=(objective,)), found.get(NONE_ROW, {})
    needed = set(aim.targets)
    if objective.over_none and not needed <= none.keys():
        return {}
    rows = [row.name for row in results.record.rows if needed <= found.get(row.name, {}).keys() and not row.control]
    values = {row: aim.values(found[row], none) for row in rows}
    return {row: value[0] for row, value in values.items() if value is not None}


def _taken(sides: Mapping[str, Mapping[str, Side]], row: str, objective: str) -> dict[str, Side]:
    """A row's sides by target, in the languages of the objective.

    For the worst language that language alone, the lowest on ``report``, as if fixed.
    """
    own = {name: by_row[row] for name, by_row in sides.items()}
    if objective == WORST:
        return {name: side.of([min(side.languages, key=lambda x: side.of([x]).mean)]) for name, side in own.items()}
    if objective.startswith((LANGUAGE, FAMILY)):
        return {name: side.of(languages_in(objective, side.languages)) for name, side in own.items()}
    return own


def _rows(totals: Mapping[str, Total], select: Mapping[str, float], *, minimised: bool) -> tuple[ObjectiveRow, ...]:
    base = totals.get(NONE_ROW)
    gains = {name: total_interval(t, base) for name, t in totals.items() if base and name != NONE_ROW}
    adjusted = dict(zip(gains, holm([interval.claim_p for interval in gains.values()]), strict=True))
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
    return tuple(sorted(rows, key=lambda row: row.select_score if minimised else -row.select_score))


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
