"""Exporting one model of a study, a target's champion or another replicate's, as a folder for plain transformers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from stilts.analysis.champion import find_replicate, model_stage, seed_of
from stilts.analysis.results import StudyResults
from stilts.app.model_folder import model_of, write_model
from stilts.app.places import is_file, load_record
from stilts.app.rebuilding import Rebuilder
from stilts.app.workspace import assemble
from stilts.errors import InputError, StoreError, StudyError
from stilts.store.store import Store
from stilts.study.record import Replicate
from stilts.study.study import Study
from stilts.training.run_config import RunConfig


def export_model(
    study: str,
    store: Store,
    target: str,
    folder: Path,
    *,
    row: str | None = None,
    seed: str | None = None,
    rebuild: bool = False,
    device: str = "cpu",
) -> dict[str, str | None]:
    """What was written: folder, target, row, replicate, stage. Nothing is left in ``folder`` when it fails."""
    rebuilder = Rebuilder(study, store, device=device) if rebuild else None
    results = StudyResults(record=rebuilder.record if rebuilder else load_record(study, store), store=store)
    replicate = find_replicate(results, target, row, seed, may_be_missing=rebuild)
    stage = model_stage(results.record, replicate)
    if stage is None:
        source = _encoder_folder(study, results)
    else:
        if rebuilder is not None:
            rebuilder.train(stage)
        source = _weights(study, store, replicate, stage)
    parent = folder.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(dir=parent, prefix=".stilts-export-")).rmdir()
    except OSError as error:
        raise InputError(
            f"model folder {folder}",
            f"its place cannot be written ({error.strerror or error})",
            "The model is put together beside it",
            "Name another folder with --model",
        ) from error
    with tempfile.TemporaryDirectory(dir=parent, prefix=".stilts-export-") as name:
        partial = Path(name, "model")
        write_model(results, model_of(results, replicate, stage), source, partial)
        os.replace(partial, folder)
    told = {"target": target, "row": replicate.row, "replicate": replicate.replicate_id, "stage": stage}
    return {"folder": str(folder), **told}


def _weights(study: str, store: Store, replicate: Replicate, stage: str) -> Path:
    """The artifact's folder; StoreError, with what to type, where its weights are not there."""
    if not store.is_done(stage) or store.gone(stage):
        seed = f" --seed {seed_of(replicate)}" if seed_of(replicate) else ""
        file = study if is_file(study) else "STUDY.yaml"
        cell = f"--target {replicate.column} --row {replicate.row}{seed}"
        raise StoreError(
            f"weights of {stage} ({replicate.replicate_id})",
            "they were dropped" if store.is_done(stage) else "the stage is not done",
            "Results stay, weights only of champions, unless a study runs with --keep-weights",
            f"Train them again: stilts export {file} {cell} --model DIR --rebuild",
        )
    return store.fetch(stage)


def _encoder_folder(study: str, results: StudyResults) -> Path:
    """The pretrained encoder's own folder, for a row ``none`` on a target that does not train."""
    from stilts.execute.inputs import encoder_folder

    if not is_file(study):
        raise StudyError(
            f"study {study}",
            "the model is the pretrained encoder itself, which is not in the store",
            "The study file says where it lies",
            "Give the study's file instead of its name",
        )
    workspace = assemble(Study.load(study))
    return encoder_folder(workspace.resolved.encoder, RunConfig(roots=workspace.roots))
