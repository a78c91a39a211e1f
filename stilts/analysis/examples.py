"""The sides of a column: per-example statistics of its done replicates, resampled together."""

from __future__ import annotations

from collections.abc import Set

from stilts.ledger.view import StudyView
from stilts.metrics.metric import Metric
from stilts.metrics.resampling import ReplicateRows, Side, resample
from stilts.study.record import Column, Replicate


def column_sides(
    view: StudyView, column: Column, done: Set[str], *, draws: int = 1000, seed: int = 0
) -> dict[str, Side]:
    """The rows of a column that have replicates among ``done``, by name, scored on ``report`` and resampled together.

    ``done`` holds replicate ids (``matrix.done_in_cells``). StoreError where the examples of one of them are gone.
    """
    record, chosen = view.record, column.measure
    rows: dict[str, list[ReplicateRows]] = {}
    for replicate in record.replicates:
        if replicate.column == column.name and replicate.replicate_id in done:
            rows.setdefault(replicate.row, []).append(replicate_rows(replicate, chosen, view))
    ordered = {row.name: rows[row.name] for row in record.rows if row.name in rows}
    return resample(ordered, chosen, draws=draws, seed=seed) if ordered else {}


def replicate_rows(replicate: Replicate, metric: Metric, view: StudyView, *, use: str = "report") -> ReplicateRows:
    """A replicate's examples in every language of the use; StoreError where their files are gone."""
    languages = {name: view.evaluations.rows(key, metric) for name, key in replicate.outputs[use].items()}
    return ReplicateRows(
        intermediate_seed=replicate.intermediate_seed, target_seed=replicate.target_seed, languages=languages
    )
