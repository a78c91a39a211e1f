"""Tempo: how much longer stages of a kind took than by arithmetic, whichever study they were of.

What it goes by, encoder's shape, kinds of task, precision, adapter and what a stage holds, is the record's name; the
last stage of it is what is kept.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict

from stilts.errors import StiltsError
from stilts.fingerprint import Json, digest, plain
from stilts.ledger.records import TEMPOS, Tempo
from stilts.store.artifact_store import ArtifactStore
from stilts.study.rates import assumed_seconds, precision_of, rates_digest
from stilts.study.slots import Resources
from stilts.study.stage import EstimateStage, EvaluateStage, Stage
from stilts.study.workload import LengthsOf


def keep_tempo(
    store: ArtifactStore,
    stage: Stage,
    held: Resources,
    *,
    took: float,
    lengths: LengthsOf,
    gradient_checkpointing: bool,
    device: str,
) -> None:
    """Keeps that a stage took so many seconds from reading to publishing; ``lengths`` are those of its data.

    A figure for later plans: a store that has no room for it, or cannot be reached, fails no stage that is published.
    """
    assumed = assumed_seconds(stage, held, gradient_checkpointing=gradient_checkpointing, lengths=lengths)
    value = Tempo(seconds=took, assumed=assumed, stage_id=stage.stage_id, encoder=stage.encoder.name, device=device)
    with suppress(StiltsError, OSError):
        TEMPOS.write(store, value, _name(stage, held, gradient_checkpointing=gradient_checkpointing))


def known_tempo(store: ArtifactStore, stage: Stage, held: Resources, *, gradient_checkpointing: bool) -> float | None:
    """How many times what arithmetic says the last stage of this kind took; None where there was none."""
    found = TEMPOS.known(store, _name(stage, held, gradient_checkpointing=gradient_checkpointing))
    return found.seconds / found.assumed if found is not None and found.assumed > 0 else None


def _name(stage: Stage, held: Resources, *, gradient_checkpointing: bool) -> str:
    if isinstance(stage, EstimateStage):
        tasks, adapter = [stage.estimate.value], None
    elif isinstance(stage, EvaluateStage):
        tasks, adapter = [stage.task.kind.name], None
    else:
        tasks, adapter = sorted({part.task.kind.name for part in stage.mixture}), stage.config.adapter
    shape = stage.encoder.shape
    goes_by: dict[str, Json] = {
        "stage": stage.kind.value,
        "tasks": plain(tasks),
        "encoder": stage.encoder.fingerprint if shape is None else plain(asdict(shape)),
        "precision": precision_of(stage).value,
        "adapter": None if adapter is None else plain(asdict(adapter)),
        "gradient_checkpointing": gradient_checkpointing,
        "held": plain(asdict(held)),
        "rates": rates_digest(),
    }
    return digest(goes_by)
