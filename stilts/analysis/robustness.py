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


def _of_column(results: StudyResults, column: Column) -> Iterator[StressCell]:
    labels = dict.fromkeys(
        label for one in results.record.replicates if one.column == column.name for label in one.stressed
    )
    for label in labels:
        found = {
            row.name: [one for one in _done(results, row.name, column.name) if _is_scored(results, one, label)]
            for row in results.record.rows
        }
        yield from _under(results, column, label, {row: some for row, some in found.items() if some})


def _under(
    results: StudyResults, column: Column, label: str, found: Mapping[str, Sequence[Replicate]]
) -> Iterator[StressCell]:
    pairs = {row: [_pair(results, one, label, column.measure) for one in some] for row, some in found.items()}
    sides = {
        which: resample(
            {row: [pair[place] for pair in some] for row, some in pairs.items()},
            column.measure,
            draws=results.draws,
            seed=results.seed,
        )
        for place, which in enumerate(("clean", "stressed"))
        if pairs
    }
    drops = {row: _difference(sides["clean"][row], sides["stressed"][row]) for row in pairs}
    for row, drop in drops.items():
        clean, stressed = sides["clean"][row], sides["stressed"][row]
        beside = {name: _beside(results, found[row], label, name) for name in ("attack_success", "queries")}
        yield StressCell(
            row=row,
            column=column.name,
            stress=label,
            clean=clean.mean,
            stressed=stressed.mean,
            drop=_from_zero(drop),
            spared=None if row == NONE_ROW or NONE_ROW not in drops else gain_interval(drops[NONE_ROW], drop),
            by_language={
                code: (clean.of([code]).mean, stressed.of([code]).mean, _from_zero(drop.of([code])))
                for code in drop.languages
            },
            replicates=len(found[row]),
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
