"""The one function through which weights enter a model, from a pretrained encoder or from an earlier stage."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from stilts.bounded_file import not_a_file
from stilts.errors import TransferError


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a transfer did: how many tensors went in, and which modules were new."""

    loaded: int
    fresh: tuple[str, ...] = ()


def transfer(weights: Mapping[str, torch.Tensor], model: nn.Module, *, what: str) -> int:
    """Copies every tensor into the module of the same name; returns how many.

    Raises TransferError unless names and shapes match both ways, nothing missing, nothing unexpected, and every weight
    is a finite number of floating point.
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
    check_finite(weights, what=what)
    model.load_state_dict(dict(weights), strict=True)
    return len(weights)


def check_finite(weights: Mapping[str, torch.Tensor], *, what: str) -> None:
    """Raises TransferError, naming the tensor, where a weight is NaN, infinite, or of no floating point."""
    for name, tensor in weights.items():
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise TransferError(
                f"weights of {what}",
                f"{name} holds NaN or infinity" if tensor.is_floating_point() else f"{name} is {tensor.dtype}",
                "Every score would be NaN" if tensor.is_floating_point() else "Weights are of floating point",
                "Use an earlier checkpoint, or fetch this one again",
            )


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file; TransferError, naming the file, when it cannot be read."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    kind = not_a_file(path)
    try:
        if kind is not None:
            raise OSError(f"it is {kind}, not a file")
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
