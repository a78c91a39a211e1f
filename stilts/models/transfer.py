"""The one function through which weights enter a model, from a pretrained encoder or from an earlier stage."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from stilts.errors import TransferError


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a transfer did: how many tensors went in, and which modules were new."""

    loaded: int
    fresh: tuple[str, ...] = ()


def transfer(weights: Mapping[str, torch.Tensor], model: nn.Module, *, what: str) -> int:
    """Copies every tensor into the module of the same name; returns how many.

    Raises TransferError unless names and shapes match both ways: nothing missing, nothing unexpected.
    """
    wanted = model.state_dict()
    missing, unexpected = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    unlike = [
        f"{name} is {tuple(weights[name].shape)}, wanted {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & weights.keys())
        if weights[name].shape != wanted[name].shape
    ]
    if missing or unexpected or unlike:
        found = "; ".join(
            f"{len(names)} {word}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
            for word, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", unlike))
            if names
        )
        raise TransferError(
            f"weights of {what}",
            found,
            "Tensors that do not match would leave random or forgotten weights in the model",
            "Use the checkpoint that belongs to this configuration",
        )
    model.load_state_dict(dict(weights), strict=True)
    return len(weights)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file; TransferError, naming the file, when it cannot be read."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise TransferError(
            f"weights in {path}",
            f"the file cannot be read as safetensors ({error})",
            "Only safetensors are loaded, never pickles",
            "Fetch or save the checkpoint again",
        ) from error


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Writes the tensors as safetensors, each with storage of its own; OSError, naming the file, for a full disk."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:  # Rust's "I/O error: No space left on device (os error 28)"
        if found := re.search(r"\(os error (\d+)\)", str(error)):
            raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from error
        raise
