"""What a stage found of a device, kept in the store for the next ones: rows at once that memory holds, and its time.

What a micro-batch needs goes by the encoder's shape, the kind of task, its lengths, precision and adapter; what there
is, by the device and the part of it that a stage has. All of that is the record's name.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict

import torch

from stilts.fingerprint import Json, digest, plain
from stilts.ledger.records import ROWS_AT_ONCE, RowsAtOnce
from stilts.ledger.tempo import keep_tempo
from stilts.store.artifact_store import ArtifactStore
from stilts.study.slots import Resources
from stilts.study.stage import MixturePart, Stage, TrainStage
from stilts.study.workload import LengthsOf
from stilts.training.run_config import RunConfig


def known_rows(stage: TrainStage, store: ArtifactStore, run: RunConfig) -> dict[str, int]:
    """Rows at once by learner, of those tasks of a stage whose like did not fit at once on such a device."""
    found = {part.task.learner: ROWS_AT_ONCE.known(store, _name(part, stage, run)) for part in stage.mixture}
    return {learner: one.rows for learner, one in found.items() if one is not None}


def keep_rows(stage: TrainStage, found: Mapping[str, int], store: ArtifactStore, run: RunConfig) -> None:
    """Keeps what a stage came down to (rows by learner), where it is less than what is known."""
    known = known_rows(stage, store, run) if found else {}
    for part in stage.mixture:
        rows = found.get(part.task.learner)
        if rows is not None and rows < known.get(part.task.learner, rows + 1):
            value = RowsAtOnce(
                rows=rows,
                device=_device(run),
                encoder=stage.encoder.name,
                kind=part.task.kind.name,
                max_length=part.config.max_length,
            )
            ROWS_AT_ONCE.write(store, value, _name(part, stage, run))


def keep_took(stage: Stage, took: float, lengths: LengthsOf, store: ArtifactStore, run: RunConfig) -> None:
    """Keeps how long a stage took, in seconds from reading to publishing, on data of these lengths."""
    held, again = run.held or Resources(), run.gradient_checkpointing
    keep_tempo(store, stage, held, took=took, lengths=lengths, gradient_checkpointing=again, device=_device(run))


def _name(part: MixturePart, stage: TrainStage, run: RunConfig) -> str:
    shape, adapter = stage.encoder.shape, stage.config.adapter
    needs: dict[str, Json] = {
        "encoder": stage.encoder.fingerprint if shape is None else plain(asdict(shape)),
        "kind": part.task.kind.name,
        "lengths": plain(dict(part.config.lengths)),
        "precision": stage.config.precision.value,
        "adapter": None if adapter is None else plain(asdict(adapter)),
        "attention_dropout": stage.config.attention_dropout,
    }
    there: dict[str, Json] = {
        "device": _device(run),
        "gpu_frac": run.gpu_frac,
        "ranks": run.ranks,
        "sharding": run.sharding.value,
        "gradient_checkpointing": run.gradient_checkpointing,
    }
    return digest({**needs, **there})


def _device(run: RunConfig) -> str:
    """A device by its name and memory."""
    if run.device.startswith("cuda"):
        card = torch.cuda.get_device_properties(torch.device(run.device))
        return f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{platform.machine()}, {pages / 2**30:.0f} GiB"
