"""What a stage starts from: its encoder or its parent's weights, its tokenizer, its data."""

from __future__ import annotations

import os
from pathlib import Path

from tokenizers import Tokenizer

from stilts.data.tokenizer_probe import check_tokenizer
from stilts.data.tokenizing import read_tokenizer
from stilts.errors import EncoderError, InputError
from stilts.execute.origins import start_of
from stilts.kinds.prepare import Preparation
from stilts.models.model import TOKENIZER_FILE, read_config
from stilts.models.weight_folders import Weights
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import Stage
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.fetched import ENCODER_FILES
from stilts.tasks.gated import gate_of
from stilts.training.run_config import RunConfig


def start_weights(stage: Stage, store: ArtifactStore, run: RunConfig) -> Weights | None:
    """The folders whose weights a stage starts from: its parent's, or the encoder's; None for random weights."""
    origin = start_of(stage, store)
    if origin.base is None and "toy" in stage.encoder.location:
        return None
    base = encoder_folder(stage.encoder, run) if origin.base is None else store.fetch(origin.base)
    return Weights(base=base, adapters=tuple(map(store.fetch, origin.adapters)))


def encoder_folder(encoder: EncoderRef, run: RunConfig) -> Path:
    """Where a pretrained encoder lies on this machine; EncoderError or InputError when it does not."""
    where = encoder.location
    if "repo" in where:
        return _from_hub(str(where["repo"]), str(where["revision"]))
    root = str(where["root"])
    if root not in run.roots:
        raise InputError(
            f'encoder "{encoder.name}"',
            f'this machine was not told where the root "{root}" is',
            "Paths are never part of a stage",
            "Pass RunConfig.roots, or run through the study",
        )
    folder = Path(os.path.normpath(Path(run.roots[root]) / str(where["path"])))
    if not folder.is_dir():
        raise EncoderError(
            f'encoder "{encoder.name}"', f"the folder {folder} does not exist", "", "Correct encoder.path in the study"
        )
    return folder


def preparation(stage: Stage, folder: Path | None, run: RunConfig) -> Preparation:
    """The stage's tokenizer with its fingerprint, and where data and token cache are.

    An encoder of the hub is tried here, once in each process: a study's own folder was before anything ran.
    """
    if folder is None:
        from stilts.data.toy.tokenizer import toy_tokenizer_json

        tokenizer = Tokenizer.from_str(toy_tokenizer_json())
    else:
        if "repo" in stage.encoder.location:
            config = read_config(folder)
            check_tokenizer(folder / TOKENIZER_FILE, int(config["vocab_size"]), str(config["model_type"]))
        tokenizer = read_tokenizer(folder / TOKENIZER_FILE)
    return Preparation(
        tokenizer=tokenizer,
        fingerprint=stage.encoder.tokenizer,
        roots=run.roots,
        cache=Path(run.cache_dir).expanduser() / "tokens" if run.cache_dir else None,
    )


def _from_hub(repo: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=list(ENCODER_FILES)))
    except Exception as error:
        told = gate_of(error, repo, is_data=False) or (
            f"it could not be fetched from the hub ({type(error).__name__}: {error})",
            "",
            "Check the network, or point encoder.path to a local copy",
        )
        raise EncoderError(f'encoder "{repo}" at {revision}', *told) from error
