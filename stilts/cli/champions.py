"""Champions: per target, the model that is best on ``select`` so far. Its weights stay, and MLflow's registry has it.

The row with the best select score among those that ``best`` could choose, and in it the replicate with the best. Where
a target does not train, the model is its intermediate's. A target without select scores (retrieval under
``english_dev``) has no champion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stilts.addresses import shown_address
from stilts.analysis.matrix import cells, done_in_cells, load_matrix, replicate_scores
from stilts.analysis.results import StudyResults
from stilts.cli.model_folder import model_bytes, model_of, write_model
from stilts.ledger.study_record import all_studies
from stilts.ledger.view import StudyView
from stilts.report.model_card import CardModel, model_card
from stilts.store.artifact_store import ArtifactStore
from stilts.store.store import Store
from stilts.study.record import Replicate, StudyRecord, parent_of

if TYPE_CHECKING:
    import pandas as pd

    from stilts.tracking.champions import Champion

# Larger models are registered by reference. XLM-R Large (2.2 GB in fp32) is still copied, XLM-R XL (14 GB) is not.
MAX_COPIED_BYTES = 4 * 10**9


def champion_stages(record: StudyRecord, store: ArtifactStore) -> dict[str, str]:
    """The train stage of each target's champion; absent where that is the pretrained encoder itself."""
    chosen = chosen_replicates(record, load_matrix(StudyView(record=record, store=store)))
    stages = {target: model_stage(record, replicate) for target, replicate in chosen.items()}
    return {target: stage for target, stage in stages.items() if stage is not None}


def pinned_stages(store: Store) -> frozenset[str]:
    """The train stages of the champions of every study in the store: their weights are never dropped."""
    return frozenset(
        stage for record in all_studies(store).values.values() for stage in champion_stages(record, store).values()
    )


def chosen_replicates(record: StudyRecord, frame: pd.DataFrame) -> dict[str, Replicate]:
    """Per target, the champion; ``frame`` is ``load_matrix``'s. Among equals the study's first wins."""
    table = cells(record, frame, "select")
    reported = cells(record, frame, "report").set_index(["row", "column"])["score"].notna()
    chosen: dict[str, Replicate] = {}
    for column in record.columns:
        scored = table[(table["column"] == column.name) & table["score"].notna()]
        scored = scored[[bool(reported.get((row, column.name), False)) for row in scored["row"]]]
        if len(scored):
            row = str(scored.sort_values("score", ascending=False, kind="stable")["row"].iloc[0])
            chosen[column.name] = ranked_replicates(record, frame, row, column.name)[0]
    return chosen


def ranked_replicates(record: StudyRecord, frame: pd.DataFrame, row: str, column: str) -> list[Replicate]:
    """The replicates behind a cell that are done, best select score first; in the study's order where there is none."""
    done = done_in_cells(record, frame)
    scores = replicate_scores(frame, "select").set_index("replicate_id")["score"].dropna()
    own = [each for each in record.replicates if (each.row, each.column) == (row, column) and each.replicate_id in done]
    return sorted(own, key=lambda each: -float(scores.get(each.replicate_id, 0.0)))


def model_stage(record: StudyRecord, replicate: Replicate) -> str | None:
    """The train stage whose weights a replicate scores; None for the pretrained encoder itself."""
    if replicate.target_stage is not None:
        return replicate.target_stage
    return parent_of(replicate.evaluate_stage, record.stages)


def champions(results: StudyResults, store: Store, run_ids: Mapping[tuple[str, str], str]) -> Iterator[Champion]:
    """What the registry is to hold: the champions whose weights are there. Nothing is read until one is new."""
    from stilts.tracking.champions import Champion

    record = results.record
    scores = replicate_scores(results.frame, "report").set_index("replicate_id")["score"]
    for target, replicate in chosen_replicates(record, results.frame).items():
        stage = model_stage(record, replicate)
        if stage is None or store.gone(stage):
            continue
        model, reason = model_of(results, replicate, stage), _reference_reason(store, stage)
        yield Champion(
            target=target,
            intermediate=replicate.row,
            stage_id=stage,
            kind=results.column(target).kind,
            score=float(scores[replicate.replicate_id]),
            card=model_card(results, model),
            locate=partial(_location, store, stage),
            write=None if reason else partial(_write, results, model, store, stage),
            by_reference=reason,
            run_id=run_ids.get(("replicate_id", replicate.replicate_id)),
        )


def _write(results: StudyResults, model: CardModel, store: Store, stage: str, folder: Path) -> None:
    write_model(results, model, store.fetch(stage), folder)


def _reference_reason(store: Store, stage: str) -> str:
    """Why a model's weights are not copied into MLflow; empty where they are."""
    if "://" in store.url:
        return "its weights lie in a bucket"
    size = model_bytes(store, stage)
    return f"its weights are {size / 1e9:.1f} GB" if size > MAX_COPIED_BYTES else ""


def _location(store: Store, stage: str) -> str:
    """Where the store keeps the artifact: a local folder, or the bucket's URL, as it may be shown, with its name."""
    return f"{shown_address(store.url).rstrip('/')}/{stage}" if "://" in store.url else str(store.fetch(stage))
