"""The one function through which weights enter a model, from a pretrained encoder or from an earlier stage."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from stilts.bounded_file import not_a_file
from stilts.errors import TransferError
from stilts.models.unfilled import fill


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
    check_match(weights, {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}, what=what)
    if any(parameter.is_meta for parameter in model.parameters()):
        fill(model, weights)
    else:
        model.load_state_dict(dict(weights), strict=True)
    return len(weights)


def check_match(weights: Mapping[str, torch.Tensor], wanted: Mapping[str, tuple[int, ...]], *, what: str) -> None:
    """Raises TransferError unless names and shapes are those that are wanted, and every weight is a finite number."""
    missing, unexpected = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    unlike = [
        f"{name} is {tuple(weights[name].shape)}, wanted {wanted[name]}"
        for name in sorted(wanted.keys() & weights.keys())
        if tuple(weights[name].shape) != wanted[name]
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
        raise _unreadable(path, error) from error


def tensor_of(path: Path, name: str) -> torch.Tensor:
    """One tensor of a safetensors file; TransferError when it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
            return tensor
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def tensors_in(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a safetensors file one by one, by name in order; TransferError when it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            for name in sorted(file.keys()):
                yield name, file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


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


# The names that the format has for what a checkpoint holds.
_DTYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int64: "I64", torch.int32: "I32"}


def stream_tensors(
    path: Path, shapes: Mapping[str, tuple[torch.Size, torch.dtype]], tensors: Iterable[tuple[str, torch.Tensor]]
) -> None:
    """Writes tensors as safetensors while they come, in the order of ``shapes``.

    The library's own writer wants all of them at once. The format is a length (8 bytes, little endian), a JSON header
    of so many bytes, and the tensors end to end (github.com/huggingface/safetensors, "Format").
    """
    header, end = {}, 0
    for name, (shape, dtype) in shapes.items():
        begin, end = end, end + shape.numel() * dtype.itemsize
        header[name] = {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in tensors:
            file.write(tensor.reshape(-1).view(torch.uint8).numpy().data)


def _unreadable(path: Path, error: Exception) -> TransferError:
    return TransferError(
        f"weights in {path}",
        f"the file cannot be read as safetensors ({error})",
        "Only safetensors are loaded, never pickles",
        "Fetch or save the checkpoint again",
    )
