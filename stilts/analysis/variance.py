"""Where each cell's spread comes from: intermediate seed, target seed, example sampling."""

from __future__ import annotations

from dataclasses import dataclass

from stilts.analysis.results import StudyResults
from stilts.metrics.comparison import VarianceSplit, variance_split


@dataclass(frozen=True, slots=True, kw_only=True)
class CellVariance:
    """The components of one cell's variance, in squared points."""

    row: str
    column: str
    num_replicates: int
    split: VarianceSplit


def variance_of_cells(results: StudyResults) -> list[CellVariance]:
    """One split per cell with a done replicate, in the study's order; parts are None where not estimable."""
    return [
        CellVariance(row=name, column=column.name, num_replicates=len(side.scores), split=variance_split(side))
        for column in results.record.columns
        for name, side in results.sides(column.name).items()
    ]
