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
from stilts.execute.origins import Origin, are_there, weights_of
from stilts.models.weight_folders import Weights
from stilts.report.model_use import PlainBase
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
    adapter: bool = False,
) -> dict[str, str | None]:
    """What was written: folder, target, row, replicate, stage. Nothing is left in ``folder`` when it fails.

    With ``adapter`` that is the trained adapter as peft has it, else the whole model, adapters merged.
    """
    rebuilder = Rebuilder(study, store, device=device) if rebuild else None
    results = StudyResults(record=rebuilder.record if rebuilder else load_record(study, store), store=store)
    replicate = find_replicate(results, target, row, seed, may_be_missing=rebuild)
    stage = model_stage(results.record, replicate)
    if stage is None:
        source = Weights(base=_encoder_folder(study))
    else:
        if rebuilder is not None:
            rebuilder.train(stage)
        source = _weights(study, store, replicate, stage)
    base = _adapter_base(study, store, stage) if adapter else None
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
        write_model(results, model_of(results, replicate, stage, base), source, partial)
        os.replace(partial, folder)
    told = {"target": target, "row": replicate.row, "replicate": replicate.replicate_id, "stage": stage}
    return {"folder": str(folder), **told}


def _weights(study: str, store: Store, replicate: Replicate, stage: str) -> Weights:
    """The artifact's folders; StoreError, with what to type, where its weights, or some below it, are not there."""
    if not are_there(stage, store):
        seed = f" --seed {seed_of(replicate)}" if seed_of(replicate) else ""
        file = study if is_file(study) else "STUDY.yaml"
        cell = f"--target {replicate.column} --row {replicate.row}{seed}"
        raise StoreError(
            f"weights of {stage} ({replicate.replicate_id})",
            _absence(stage, store),
            "Results stay, weights only of champions, unless a study runs with --keep-weights",
            f"Train them again: stilts export {file} {cell} --model DIR --rebuild",
        )
    origin = weights_of(stage, store)
    base = _encoder_folder(study) if origin.base is None else store.fetch(origin.base)
    return Weights(base=base, adapters=tuple(map(store.fetch, origin.adapters)))


def _absence(stage: str, store: Store) -> str:
    if not store.is_done(stage):
        return "the stage is not done"
    if store.gone(stage):
        return "they were dropped"
    below = next(each for each in weights_of(stage, store).stages if store.gone(each))
    return f"they are an adapter, and those of {below}, on which it rests, were dropped"


def _adapter_base(study: str, store: Store, stage: str | None) -> PlainBase:
    """What users of peft load below the adapter; InputError where that is no pretrained encoder."""
    origin = Origin() if stage is None else weights_of(stage, store)
    if origin.base is not None and origin.adapters:
        raise InputError(
            f"adapter of {stage}",
            f"it lies on weights that were trained here ({origin.base})",
            "Nobody has these but this store, so the adapter alone computes nothing",
            "Leave --adapter out: the whole model is written",
        )
    if not is_file(study):
        raise _file_is_needed(study)
    encoder = assemble(Study.load(study)).resolved.encoder
    if "repo" in encoder.location:
        return PlainBase(name=str(encoder.location["repo"]), revision=str(encoder.location["revision"]))
    return PlainBase(name=encoder.name)


def _encoder_folder(study: str) -> Path:
    """The pretrained encoder's own folder, for a row ``none`` that does not train, and below adapters on it."""
    from stilts.execute.inputs import encoder_folder

    if not is_file(study):
        raise _file_is_needed(study)
    workspace = assemble(Study.load(study))
    return encoder_folder(workspace.resolved.encoder, RunConfig(roots=workspace.roots))


def _file_is_needed(study: str) -> StudyError:
    return StudyError(
        f"study {study}",
        "the model is the pretrained encoder, or lies on it, which is not in the store",
        "The study file says where it lies",
        "Give the study's file instead of its name",
    )
