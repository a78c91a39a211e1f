"""A study's cheap estimates as features of its cells, for a policy that selects cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.ledger.estimates import Results, cell_estimates
from stilts.ledger.results import results_of
from stilts.search.selecting.policy import FloatArray
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.record import StudyRecord
from stilts.study.stage import Estimate


def features(
    study: Plan | StudyRecord, store: ArtifactStore, rows: Sequence[str], columns: Sequence[str]
) -> tuple[tuple[str, ...], FloatArray]:
    """The names of the study's estimates, and their figures (rows, columns, k), NaN where one is not there (yet)."""
    record = study.record if isinstance(study, Plan) else study
    done = store.done() if record.estimates else frozenset[str]()
    keys = dict.fromkeys(output.key for output in record.estimates if output.key in done)
    return features_of(record, results_of(store, list(keys)).values, rows, columns)


def features_of(
    record: StudyRecord, results: Results, rows: Sequence[str], columns: Sequence[str]
) -> tuple[tuple[str, ...], FloatArray]:
    """``features`` from results that are read already, by key. Sizes enter as log10(1 + examples)."""
    found = cell_estimates(record, results)
    values = np.full((len(rows), len(columns), len(found)), np.nan)
    for place, cells in enumerate(found.values()):
        for (row, column), value in cells.items():
            if row in rows and column in columns:
                values[rows.index(row), columns.index(column), place] = value
    names = tuple(estimate.value for estimate in found)
    if Estimate.SIZE in names:
        place = names.index(Estimate.SIZE)
        values[:, :, place] = np.log10(1.0 + values[:, :, place])
    return names, values
