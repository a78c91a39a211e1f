"""Champions: per target, the model that is best on ``select`` so far. Its weights stay, and MLflow's registry has it.

It is of the row that ``best`` names (``row_choice.py``), and in it the replicate with the best selection score. Where a
target does not train, the model is its intermediate's. A target without selection scores (retrieval under
``english_dev``) has no champion.
"""

from __future__ import annotations

from stilts.analysis.matrix import replicate_scores
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.row_choice import choose_row
from stilts.errors import SelectionError, StoreError, UnknownNameError
from stilts.ledger.study_record import all_studies
from stilts.store.store import Store
from stilts.study.record import Replicate, StudyRecord, parent_of


def champions_of(results: StudyResults) -> dict[str, Replicate]:
    """Per target its champion, in the study's order; a target of which nothing can be chosen yet is absent."""
    rows = {column.name: choose_row(results, column).row for column in targets_of(results.record)}
    return {target: ranked_replicates(results, row, target)[0] for target, row in rows.items() if row is not None}


def champion_stages(results: StudyResults) -> dict[str, str]:
    """The train stage of each target's champion; absent where that is the pretrained encoder itself."""
    stages = {target: model_stage(results.record, one) for target, one in champions_of(results).items()}
    return {target: stage for target, stage in stages.items() if stage is not None}


def pinned_stages(store: Store) -> frozenset[str]:
    """The train stages of the champions of every study in the store: their weights are never dropped."""
    studies = (StudyResults(record=record, store=store) for record in all_studies(store).values.values())
    return frozenset(stage for results in studies for stage in champion_stages(results).values())


def ranked_replicates(results: StudyResults, row: str, column: str) -> list[Replicate]:
    """The replicates behind a cell that are done, best select score first; in the study's order where there is none."""
    scores = replicate_scores(results.frame, "select").set_index("replicate_id")["score"].dropna()
    own = [one for one in _planned(results, row, column) if one.replicate_id in results.done]
    return sorted(own, key=lambda one: -float(scores.get(one.replicate_id, 0.0)))


def model_stage(record: StudyRecord, replicate: Replicate) -> str | None:
    """The train stage whose weights a replicate scores; None for the pretrained encoder itself."""
    if replicate.target_stage is not None:
        return replicate.target_stage
    return parent_of(replicate.evaluate_stage, record.stages)


def seed_of(replicate: Replicate) -> str:
    """What tells the replicate from others of its cell, such as ``i0/t0``; empty where nothing does."""
    return replicate.replicate_id.partition("/")[2]


def find_replicate(
    results: StudyResults, target: str, row: str | None, seed: str | None, *, may_be_missing: bool = False
) -> Replicate:
    """The replicate that is meant: of the chosen row, or ``row``, the best on select, or the one of ``seed``.

    ``may_be_missing`` admits, with row and seed given, one that is not done. UnknownNameError for a name that the study
    does not have, SelectionError where nothing can be chosen, StoreError where nothing is done.
    """
    record = results.record
    column = results.column(target)
    if row is None:
        row = choose_row(results, column).row if column in targets_of(record) else None
        if row is None:
            raise _nothing_chosen(record, target)
    if row not in [each.name for each in record.rows]:
        raise UnknownNameError("row", row, [each.name for each in record.rows])
    planned = _planned(results, row, target)
    if seed is not None:
        return _of_seed(planned, seed, where=f"{row} > {target}")
    ranked = ranked_replicates(results, row, target)
    if not ranked and may_be_missing and len(planned) == 1:
        return planned[0]
    if not ranked:
        raise StoreError(
            f"model of {row} > {target}",
            f"none of its {len(planned)} replicates is done",
            "There is no model to export",
            f"Run the study first, or train one: --rebuild --seed, one of {_seeds(planned)}",
        )
    return ranked[0]


def _planned(results: StudyResults, row: str, column: str) -> list[Replicate]:
    return [each for each in results.record.replicates if (each.row, each.column) == (row, column)]


def _of_seed(planned: list[Replicate], seed: str, *, where: str) -> Replicate:
    for replicate in planned:
        if seed in (seed_of(replicate), replicate.replicate_id):
            return replicate
    raise UnknownNameError("replicate", seed, [seed_of(each) for each in planned], where=where)


def _seeds(planned: list[Replicate]) -> str:
    return ", ".join(seed_of(each) for each in planned[:5]) or "none planned"


def _nothing_chosen(record: StudyRecord, target: str) -> SelectionError:
    rows = ", ".join(row.name for row in record.rows)
    return SelectionError(
        f"champion of {target}",
        f"no row has a selection score there (selection: {record.selection})",
        "A row chosen by its report scores would be an oracle's",
        f"Name the row yourself: --row, one of {rows}",
    )
