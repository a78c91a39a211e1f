"""Pinning a pretrained encoder: by the content of a folder's files, or by a commit of the hub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from stilts.errors import EncoderError
from stilts.fingerprint import Json
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.file_digests import files_fingerprint

# The architectures that models/ can take apart into encoder and head.
MODEL_TYPES = ("xlm-roberta", "xlm-roberta-xl")
_NEEDED = ("config.json", "tokenizer.json")

# (repository, revision) to (commit, config.json as a mapping).
AskHub: TypeAlias = Callable[[str, str | None], tuple[str, Mapping[str, Json]]]


def encoder_from_folder(name: str, root_name: str, relative_path: str, roots: Mapping[str, Path]) -> EncoderRef:
    """The encoder in a folder of Hugging Face's layout, pinned by its bytes.

    The fingerprint covers config.json and every ``*.safetensors`` shard in the order of names, ``tokenizer`` covers
    tokenizer.json. EncoderError when one is missing, when only pickled weights are there, or for an
    architecture that is not XLM-R's.
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
    for needed in _NEEDED:
        if not (folder / needed).is_file():
            raise EncoderError(
                f'encoder "{name}"',
                f"no {needed} in {folder}",
                "An encoder is config.json, tokenizer.json and safetensors weights",
                "Save it with save_pretrained(), the tokenizer as a fast one",
            )
    weights = _weights(name, folder)
    config = _config(name, folder / "config.json")
    return EncoderRef(
        name=name,
        fingerprint=files_fingerprint([folder / "config.json", *weights]),
        tokenizer=files_fingerprint([folder / "tokenizer.json"]),
        num_layers=_number(name, config, "num_hidden_layers"),
        max_length=_number(name, config, "max_position_embeddings") - _number(name, config, "pad_token_id") - 1,
        num_parameters=_num_parameters(name, config),
        location={"root": root_name, "path": relative_path},
    )


def encoder_from_hub(repo: str, revision: str | None = None, *, ask_hub: AskHub | None = None) -> EncoderRef:
    """The encoder of a hub repository, pinned to a commit; EncoderError when the hub cannot be reached."""
    commit, config = (ask_hub or _ask_hub)(repo, revision)
    return EncoderRef(
        name=repo,
        fingerprint=f"hub:{repo}@{commit}",
        tokenizer=f"hub:{repo}@{commit}/tokenizer.json",
        num_layers=_number(repo, config, "num_hidden_layers"),
        max_length=_number(repo, config, "max_position_embeddings") - _number(repo, config, "pad_token_id") - 1,
        num_parameters=_num_parameters(repo, config),
        location={"repo": repo, "revision": commit},
    )


def _weights(name: str, folder: Path) -> list[Path]:
    shards = sorted(folder.glob("*.safetensors"))
    if shards:
        return shards
    pickled = sorted(path.name for path in folder.glob("*.bin"))
    found = f"only {', '.join(pickled)} in {folder}" if pickled else f"no *.safetensors in {folder}"
    raise EncoderError(
        f'encoder "{name}"',
        found,
        "Pickled weights can run code when they are loaded" if pickled else "There are no weights to start from",
        "Save the model with save_pretrained(), which writes safetensors",
    )


def _config(name: str, path: Path) -> Mapping[str, Json]:
    try:
        config = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EncoderError(f'encoder "{name}"', f"{path} is not JSON ({error})", next_step="Copy it again") from error
    if not isinstance(config, dict):
        raise EncoderError(f'encoder "{name}"', f"{path} holds no JSON object", next_step="Copy it again")
    return config


def _number(name: str, config: Mapping[str, Json], field: str) -> int:
    """A positive whole number of the configuration, of an architecture that is XLM-R's."""
    model_type, number = config.get("model_type"), config.get(field)
    if model_type not in MODEL_TYPES:
        raise EncoderError(
            f'encoder "{name}"',
            f'its config.json says model_type "{model_type}"',
            f"Known architectures: {', '.join(MODEL_TYPES)}",
            "Choose an encoder of XLM-R's family",
        )
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise EncoderError(f'encoder "{name}"', f"its config.json says {field} {number!r}", next_step="Copy it again")
    return number


def _num_parameters(name: str, config: Mapping[str, Json]) -> int:
    """The weights of the layers, embeddings left out: four width x width and two width x inner matrices in each."""
    width, inner = _number(name, config, "hidden_size"), _number(name, config, "intermediate_size")
    return _number(name, config, "num_hidden_layers") * (4 * width * width + 2 * width * inner)


def _ask_hub(repo: str, revision: str | None) -> tuple[str, Mapping[str, Json]]:
    from huggingface_hub import HfApi, hf_hub_download

    try:
        commit = HfApi().model_info(repo, revision=revision, timeout=20).sha
        path = hf_hub_download(repo, "config.json", revision=commit)
    except Exception as error:  # the hub's client passes on the errors of whichever HTTP library it was built on
        raise EncoderError(
            f'encoder "{repo}" at {revision or "its main branch"}',
            f"the hub could not be asked ({type(error).__name__})",
            "Without the commit, two runs might start from different weights under one name",
            "Connect to the hub, or give the study an encoder folder",
        ) from error
    return str(commit), _config(repo, Path(path))
