"""Pinning a pretrained encoder: by the content of a folder's files, or by a commit of the hub."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from stilts.bounded_file import not_a_file
from stilts.errors import EncoderError
from stilts.fingerprint import Json
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.encoder_config import encoder_config, read_config_json
from stilts.tasks.fetched import MODEL, fetched_commit
from stilts.tasks.file_digests import files_fingerprint
from stilts.tasks.gated import gate_of
from stilts.tasks.weight_files import weight_files

_NEEDED = ("config.json", "tokenizer.json")

# (repository, revision) to (commit, config.json as a mapping).
AskHub: TypeAlias = Callable[[str, str | None], tuple[str, Mapping[str, Json]]]


def encoder_from_folder(name: str, root_name: str, relative_path: str, roots: Mapping[str, Path]) -> EncoderRef:
    """The encoder in a folder of Hugging Face's layout, pinned by its bytes.

    The fingerprint covers config.json and the files of weights (``weight_files``) in the order of names, ``tokenizer``
    covers tokenizer.json. EncoderError when one is missing or no file, when only pickled weights are there, for an
    architecture that is not XLM-R's, or for sizes in config.json that no encoder has.
    """
    if root_name not in roots:
        raise EncoderError(
            f'encoder "{name}"',
            f'no root "{root_name}" is given',
            f"Given: {', '.join(sorted(roots)) or 'none'}",
            "Name one of these, or give the study that root",
        )
    folder = Path(roots[root_name]) / relative_path
    if not os.path.isdir(folder):  # unlike Path.is_dir, False for a name that is too long
        raise EncoderError(f'encoder "{name}"', f"no folder {folder}", next_step="Correct the path in the study")
    weights = weight_files(folder)
    for path in (*(folder / needed for needed in _NEEDED), *weights):
        _check_file(name, path)
    config = encoder_config(f'encoder "{name}"', read_config_json(f'encoder "{name}"', folder / "config.json"))
    return EncoderRef(
        name=name,
        fingerprint=files_fingerprint([folder / "config.json", *weights]),
        tokenizer=files_fingerprint([folder / "tokenizer.json"]),
        num_layers=config.num_hidden_layers,
        max_length=config.max_length,
        shape=config.shape,
        adapter_sites=config.adapter_sites,
        location={"root": root_name, "path": relative_path},
    )


def encoder_from_hub(repo: str, revision: str | None = None, *, ask: AskHub | None = None) -> EncoderRef:
    """The encoder of a hub repository, pinned to a commit; EncoderError when the hub cannot be reached."""
    commit, fields = (ask or ask_hub)(repo, revision)
    config = encoder_config(f'encoder "{repo}"', fields)
    return EncoderRef(
        name=repo,
        fingerprint=f"hub:{repo}@{commit}",
        tokenizer=f"hub:{repo}@{commit}/tokenizer.json",
        num_layers=config.num_hidden_layers,
        max_length=config.max_length,
        shape=config.shape,
        adapter_sites=config.adapter_sites,
        location={"repo": repo, "revision": commit},
    )


def _check_file(name: str, path: Path) -> None:
    """Raises EncoderError where no file lies at the path; nothing is opened."""
    if path.is_file():
        return
    kind = not_a_file(path)
    raise EncoderError(
        f'encoder "{name}"',
        f"no {path.name} in {path.parent}" if kind is None else f"{path} is {kind}, not a file",
        "An encoder is config.json, tokenizer.json and safetensors weights",
        "Save it with save_pretrained(), the tokenizer as a fast one",
    )


def ask_hub(repo: str, revision: str | None) -> tuple[str, Mapping[str, Json]]:
    """The commit and the config.json of a repository's revision; EncoderError where the hub cannot be asked."""
    from huggingface_hub import HfApi, hf_hub_download

    try:
        known = fetched_commit(repo, MODEL, revision)
        commit = known or HfApi().model_info(repo, revision=revision, timeout=20).sha
        path = hf_hub_download(repo, "config.json", revision=commit)
    except Exception as error:  # the hub's client passes on the errors of whichever HTTP library it was built on
        told = gate_of(error, repo, is_data=False) or (
            f"the hub could not be asked ({type(error).__name__})",
            "Without the commit, two runs might start from different weights under one name",
            "Connect to the hub, or give the study an encoder folder",
        )
        raise EncoderError(f'encoder "{repo}" at {revision or "its main branch"}', *told) from error
    return str(commit), read_config_json(f'encoder "{repo}"', Path(path))
