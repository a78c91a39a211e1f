"""Where each cell's spread comes from: intermediate seed, target seed, example sampling."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from stilts.analysis.examples import column_sides
from stilts.analysis.matrix import load_matrix
from stilts.metrics.comparison import VarianceSplit, variance_split
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import StudyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CellVariance:
    """The components of one cell's variance, in squared points."""

    row: str
    column: str
    num_replicates: int
    split: VarianceSplit


def variance_of_cells(
    record: StudyRecord, store: ArtifactStore, *, frame: pd.DataFrame | None = None
) -> list[CellVariance]:
    """One split per cell with a done replicate, in the study's order; parts are None where not estimable."""
    frame = load_matrix(record, store) if frame is None else frame
    return [
        CellVariance(row=name, column=column.name, num_replicates=len(side.scores), split=variance_split(side))
        for column in record.columns
        for name, side in column_sides(record, column, frame, store).items()
    ]
