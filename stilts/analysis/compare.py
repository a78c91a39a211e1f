"""Two studies side by side: the score difference of every cell that both have, with its interval.

Replicates of the two studies are taken as independent. Test items are resampled together, so that items of one name
are one item in both and the difference is paired; items that only one study has vary on their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from stilts.analysis.results import StudyResults
from stilts.analysis.spending import replicates_in_cells
from stilts.errors import InputError
from stilts.fingerprint import Json, plain
from stilts.metrics.resampling import LanguageRows, ReplicateRows, Side, resample
from stilts.metrics.uncertainty import Interval, gain_interval
from stilts.study.record import Column, Replicate


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDifference:
    """One cell of two studies; scores are 0..100 on ``report``, over the languages that both have.

    ``difference`` is the second's score less the first's; None where either has no score. ``same`` says that both rest
    on the very same evaluations. ``paired_frac`` is the share of test items that are common to both, 0 to 1.
    """

    row: str
    column: str
    first: float | None
    second: float | None
    difference: Interval | None
    same: bool
    languages: tuple[str, ...]
    paired_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyComparison:
    """Two studies: their common cells, what only one of them has, and what to know about the comparison."""

    first: str
    second: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[CellDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The comparison as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def compare_studies(first: StudyResults, second: StudyResults) -> StudyComparison:
    """The second study against the first, cell by cell; rows and columns are matched by name.

    InputError where the two have no row or no column in common.
    """
    rows = _common([r.name for r in first.record.rows], [r.name for r in second.record.rows])
    columns = _common([c.name for c in first.record.columns], [c.name for c in second.record.columns])
    if not rows or not columns:
        raise InputError(
            f"{first.record.name} against {second.record.name}",
            f"no {'row' if not rows else 'column'} has the same name in both",
            "Cells are compared where row and column have the same names",
            "Name another study",
        )
    cells = [cell for name in columns for cell in _column_cells(first, second, name, rows)]
    by_row = sorted(cells, key=lambda cell: rows.index(cell.row))
    return StudyComparison(
        first=first.record.name,
        second=second.record.name,
        rows=tuple(rows),
        columns=tuple(columns),
        cells=tuple(by_row),
        only_first=_only(first, second),
        only_second=_only(second, first),
        notes=_notes(first, second, columns, by_row),
    )


def _common(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return [name for name in one if name in set(other)]


def _only(one: StudyResults, other: StudyResults) -> tuple[str, ...]:
    rows, columns = {row.name for row in other.record.rows}, {column.name for column in other.record.columns}
    return (
        *(f"row {row.name}" for row in one.record.rows if row.name not in rows),
        *(f"column {column.name}" for column in one.record.columns if column.name not in columns),
    )


def _column_cells(first: StudyResults, second: StudyResults, name: str, rows: Sequence[str]) -> list[CellDifference]:
    """The cells of one column; without differences where the metrics are not the same."""
    studies, columns = (first, second), (first.column(name), second.column(name))
    languages = _common(columns[0].languages, columns[1].languages)
    if columns[0].metric != columns[1].metric or not languages:
        return [_empty(row, name) for row in rows]
    found = [
        {row: cells.get((row, name), []) for row in rows} for cells in (replicates_in_cells(study) for study in studies)
    ]
    loaded = {
        (at, row): [_rows(studies[at], columns[at], replicate, languages) for replicate in of_study[row]]
        for at, of_study in enumerate(found)
        for row in rows
        if of_study[row]
    }
    sides = resample({f"{at}>{row}": part for (at, row), part in loaded.items()}, columns[0].measure)
    paired = _paired_frac(loaded, languages)
    return [_cell(row, name, found, (sides.get(f"0>{row}"), sides.get(f"1>{row}")), languages, paired) for row in rows]


def _rows(results: StudyResults, column: Column, replicate: Replicate, languages: Sequence[str]) -> ReplicateRows:
    keys, chosen = replicate.outputs["report"], column.measure
    return ReplicateRows(
        intermediate_seed=replicate.intermediate_seed,
        target_seed=replicate.target_seed,
        languages={name: results.view.evaluations.rows(keys[name], chosen) for name in languages},
    )


def _paired_frac(loaded: Mapping[tuple[int, str], Sequence[ReplicateRows]], languages: Sequence[str]) -> float:
    """The share of items, over the languages, that are common to the first replicates of the two studies."""
    firsts = [next((parts[0] for (at, _), parts in loaded.items() if at == study), None) for study in (0, 1)]
    if firsts[0] is None or firsts[1] is None:
        return 0.0
    common = total = 0
    for name in languages:
        one, other = (_names(part.languages[name]) for part in firsts if part is not None)
        common += len(np.intersect1d(one, other))
        total += len(np.union1d(one, other))
    return common / total if total else 0.0


def _names(rows: LanguageRows) -> np.ndarray:
    return np.unique(rows.items)


def _cell(
    row: str,
    column: str,
    found: Sequence[Mapping[str, Sequence[Replicate]]],
    sides: tuple[Side | None, Side | None],
    languages: Sequence[str],
    paired_frac: float,
) -> CellDifference:
    keys = [{replicate.evaluate_stage for replicate in of_study[row]} for of_study in found]
    first, second = sides
    difference = gain_interval(second, first) if first and second else None
    return CellDifference(
        row=row,
        column=column,
        first=first.mean if first else None,
        second=second.mean if second else None,
        difference=difference,
        # Another store may have run the same stages again, with other rounding.
        same=bool(first and second) and keys[0] == keys[1] and difference is not None and difference.estimate == 0,
        languages=tuple(languages),
        paired_frac=paired_frac,
    )


def _empty(row: str, column: str) -> CellDifference:
    return CellDifference(
        row=row, column=column, first=None, second=None, difference=None, same=False, languages=(), paired_frac=0.0
    )


def _notes(
    first: StudyResults, second: StudyResults, columns: Sequence[str], cells: Sequence[CellDifference]
) -> tuple[str, ...]:
    notes = []
    if first.record.encoder != second.record.encoder:
        notes.append(f"the encoders differ: {first.record.encoder}, {second.record.encoder}")
    ways = (first.record.selection, second.record.selection)
    if ways[0] != ways[1]:
        notes.append(
            f"selection differs ({ways[0]}, {ways[1]}): target_dev may report half of the items, and retrieval among "
            "fewer candidates is easier"
        )
    for name in columns:
        one, other = first.column(name), second.column(name)
        if one.metric != other.metric:
            notes.append(f"{name} is not compared: its metric is {one.metric} in one and {other.metric} in the other")
        elif set(one.languages) != set(other.languages):
            common = _common(one.languages, other.languages)
            notes.append(f"{name}: scores over the common languages only ({', '.join(common) or 'none'})")
    unpaired = dict.fromkeys(c.column for c in cells if c.difference is not None and c.paired_frac < 1.0)
    if unpaired:
        notes.append(f"test items differ in {', '.join(unpaired)}: only common ones are paired")
    shared = sum(cell.same for cell in cells)
    if shared:
        notes.append(f"{shared} of {len(cells)} cells rest on the very same evaluations and do not differ")
    return tuple(notes)
