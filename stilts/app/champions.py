"""What MLflow's registry is to hold of a study: its champions (``analysis/champion.py``), whole or by reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stilts.addresses import shown_address
from stilts.analysis.champion import champions_of, model_stage
from stilts.analysis.matrix import replicate_scores
from stilts.analysis.results import StudyResults
from stilts.app.model_folder import model_bytes, model_of, write_model
from stilts.execute.origins import are_there, weights_of
from stilts.models.weight_folders import Weights
from stilts.report.model_card import CardModel, model_card
from stilts.store.store import Store

if TYPE_CHECKING:
    from stilts.tracking.champions import Champion

# Larger models are registered by reference. XLM-R Large (2.2 GB in fp32) is still copied, XLM-R XL (14 GB) is not.
MAX_COPIED_BYTES = 4 * 10**9


def champions(results: StudyResults, store: Store, run_ids: Mapping[tuple[str, str], str]) -> Iterator[Champion]:
    """What the registry is to hold: the champions whose weights are there. Nothing is read until one is new."""
    from stilts.tracking.champions import Champion

    scores = replicate_scores(results.frame, "report").set_index("replicate_id")["score"]
    for target, replicate in champions_of(results).items():
        stage = model_stage(results.record, replicate)
        if stage is None or not are_there(stage, store):
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
    origin = weights_of(stage, store)
    assert origin.base is not None  # else it is registered by reference
    weights = Weights(base=store.fetch(origin.base), adapters=tuple(map(store.fetch, origin.adapters)))
    write_model(results, model, weights, folder)


def _reference_reason(store: Store, stage: str) -> str:
    """Why a model's weights are not copied into MLflow; empty where they are."""
    if "://" in store.url:
        return "its weights lie in a bucket"
    origin = weights_of(stage, store)
    if origin.base is None:
        return "it is an adapter on the pretrained encoder, which is not in the store"
    size = sum(model_bytes(store, each) for each in origin.stages)
    return f"its weights are {size / 1e9:.1f} GB" if size > MAX_COPIED_BYTES else ""


def _location(store: Store, stage: str) -> str:
    """Where the store keeps the artifact: a local folder, or the bucket's URL, as it may be shown, with its name."""
    return f"{shown_address(store.url).rstrip('/')}/{stage}" if "://" in store.url else str(store.fetch(stage))
