"""What perturbations and attacks cost each cell: clean and stressed scores of the same models on the same examples.

Start at ``stress_cells``. A *drop* is the clean score minus the stressed one, in points, on the examples that were
stressed. Both are of one model, so seeds and items enter the drop's interval by the difference alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stilts.analysis.results import StudyResults
from stilts.metrics.metric import Metric
from stilts.metrics.resampling import LanguageRows, ReplicateRows, Side, resample
from stilts.metrics.uncertainty import Interval, gain_interval
from stilts.study.record import NONE_ROW, Column, Replicate


@dataclass(frozen=True, slots=True, kw_only=True)
class StressCell:
    """A cell under one stress, by mean over languages: scores 0 to 100, drops in points with their 95 % intervals.

    ``spared`` is by how much the drop is smaller than that of ``none``: above 0 the row makes the target more robust.
    It is None for ``none`` itself, and while that is not done. ``by_language`` has each language's (clean, stressed,
    drop). ``attack_success`` (percent) and ``queries`` (a mean per example) are an attack's.
    """

    row: str
    column: str
    stress: str
    clean: float
    stressed: float
    drop: Interval
    spared: Interval | None
    by_language: Mapping[str, tuple[float, float, Interval]]
    replicates: int
    attack_success: Mapping[str, float]
    queries: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StressSides:
    """A cell's done replicates under a stress: clean and stressed scores on the same examples, and their difference."""

    replicates: tuple[Replicate, ...]
    clean: Side
    stressed: Side
    drop: Side


def stress_cells(results: StudyResults) -> tuple[StressCell, ...]:
    """Every cell that has done replicates whose stressed scores are all there, by target, stress and row."""
    return results.once("stress_cells", _cells)


def stress_table(results: StudyResults) -> pd.DataFrame:
    """One row per (row, column, stress, language): scores, drop with its interval, and what an attack took."""
    lines = [
        {
            "row": cell.row,
            "column": cell.column,
            "stress": cell.stress,
            "language": language,
            "clean": clean,
            "stressed": stressed,
            "drop": drop.estimate,
            "low": drop.low,
            "high": drop.high,
            "attack_success": cell.attack_success.get(language),
            "queries": cell.queries.get(language),
            "replicates": cell.replicates,
        }
        for cell in stress_cells(results)
        for language, (clean, stressed, drop) in cell.by_language.items()
    ]
    return pd.DataFrame(lines)


def _cells(results: StudyResults) -> tuple[StressCell, ...]:
    return tuple(cell for column in results.record.columns for cell in _of_column(results, column))


def stressed_sides(results: StudyResults, column: str) -> Mapping[str, Mapping[str, StressSides]]:
    """What stresses did to a target's models, by stress and row, for rows of which all is done; made once."""
    return results.once(f"stressed {column}", lambda whole: dict(_stressed(whole, whole.column(column))))


def _stressed(results: StudyResults, column: Column) -> Iterator[tuple[str, Mapping[str, StressSides]]]:
    labels = dict.fromkeys(
        label for one in results.record.replicates if one.column == column.name for label in one.stressed
    )
    for label in labels:
        found = {
            row.name: [one for one in _done(results, row.name, column.name) if _is_scored(results, one, label)]
            for row in results.record.rows
        }
        if whole := {row: some for row, some in found.items() if some}:
            yield label, _sides(results, column, label, whole)


def _sides(
    results: StudyResults, column: Column, label: str, found: Mapping[str, Sequence[Replicate]]
) -> Mapping[str, StressSides]:
    pairs = {row: [_pair(results, one, label, column.measure) for one in some] for row, some in found.items()}
    clean, stressed = (
        resample(
            {row: [pair[place] for pair in some] for row, some in pairs.items()},
            column.measure,
            draws=results.draws,
            seed=results.seed,
        )
        for place in range(2)
    )
    return {
        row: StressSides(
            replicates=tuple(some),
            clean=clean[row],
            stressed=stressed[row],
            drop=_difference(clean[row], stressed[row]),
        )
        for row, some in found.items()
    }


def _of_column(results: StudyResults, column: Column) -> Iterator[StressCell]:
    for label, sides in stressed_sides(results, column.name).items():
        none = sides.get(NONE_ROW)
        for row, own in sides.items():
            beside = {name: _beside(results, own.replicates, label, name) for name in ("attack_success", "queries")}
            yield StressCell(
                row=row,
                column=column.name,
                stress=label,
                clean=own.clean.mean,
                stressed=own.stressed.mean,
                drop=_from_zero(own.drop),
                spared=None if row == NONE_ROW or none is None else gain_interval(none.drop, own.drop),
                by_language={
                    code: (own.clean.of([code]).mean, own.stressed.of([code]).mean, _from_zero(own.drop.of([code])))
                    for code in own.drop.languages
                },
                replicates=len(own.replicates),
                attack_success=beside["attack_success"],
                queries=beside["queries"],
            )


def _done(results: StudyResults, row: str, column: str) -> Iterator[Replicate]:
    for one in results.record.replicates:
        if (one.row, one.column) == (row, column) and one.replicate_id in results.done:
            yield one


def _is_scored(results: StudyResults, replicate: Replicate, label: str) -> bool:
    keys = replicate.stressed.get(label, {})
    return bool(keys) and results.view.scored.issuperset(keys.values())


def _spoken(replicate: Replicate, label: str) -> list[str]:
    """The stressed languages of which there is a clean score: not those whose data have none."""
    return [code for code in replicate.stressed[label] if code in replicate.outputs["report"]]


def _pair(results: StudyResults, one: Replicate, label: str, metric: Metric) -> tuple[ReplicateRows, ReplicateRows]:
    """The clean rows of the stressed examples, and the stressed rows."""
    read = results.view.evaluations.rows
    stressed = {code: read(one.stressed[label][code], metric) for code in _spoken(one, label)}
    clean = {code: _among(read(one.outputs["report"][code], metric), rows) for code, rows in stressed.items()}
    seeds = {"intermediate_seed": one.intermediate_seed, "target_seed": one.target_seed}
    return ReplicateRows(languages=clean, **seeds), ReplicateRows(languages=stressed, **seeds)


def _among(rows: LanguageRows, stressed: LanguageRows) -> LanguageRows:
    if np.array_equal(rows.items, stressed.items):
        return rows
    kept = np.isin(rows.items, stressed.items)
    return LanguageRows(items=rows.items[kept], values=rows.values[kept])


def _difference(one: Side, other: Side) -> Side:
    """Of each replicate the one score less the other, under every draw."""
    return Side(
        intermediate_seeds=one.intermediate_seeds,
        target_seeds=one.target_seeds,
        languages=one.languages,
        scores=one.scores - other.scores,
        draws=one.draws - other.draws,
    )


def _from_zero(side: Side) -> Interval:
    nothing = Side(
        intermediate_seeds=(None,),
        target_seeds=(None,),
        languages=side.languages,
        scores=np.zeros_like(side.scores[:1]),
        draws=np.zeros_like(side.draws[:1]),
    )
    return gain_interval(side, nothing)


def _beside(results: StudyResults, found: Sequence[Replicate], label: str, name: str) -> dict[str, float]:
    """A figure of an attack by language, averaged over replicates; empty where it is no attack."""
    parts = {
        code: [results.view.evaluations.result(one.stressed[label][code]).parts.get(name) for one in found]
        for code in _spoken(found[0], label)
    }
    known = {code: [value for value in some if value is not None] for code, some in parts.items()}
    return {code: float(np.mean(some)) for code, some in known.items() if some}
