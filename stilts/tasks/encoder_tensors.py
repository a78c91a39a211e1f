"""Which tensors an encoder's checkpoint must hold, told from the headers of its files: no weight is read, no torch.

The stage that loads the weights compares every name and shape; this finds a torn checkpoint before anything is run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from stilts.errors import EncoderError, TransferError

_LINEAR = ("weight", "bias")
_LAYERS = {
    "xlm-roberta": (
        "attention.self.query attention.self.key attention.self.value attention.output.dense "
        "attention.output.LayerNorm intermediate.dense output.dense output.LayerNorm"
    ),
    "xlm-roberta-xl": (
        "attention.self.query attention.self.key attention.self.value attention.output.dense "
        "attention.self_attn_layer_norm intermediate.dense output.dense LayerNorm"
    ),
}
_NORMS = {"xlm-roberta": "embeddings.LayerNorm", "xlm-roberta-xl": "encoder.LayerNorm"}
_EMBEDDINGS = ("word_embeddings", "position_embeddings", "token_type_embeddings")
# Longer headers than this are no headers: safetensors' own limit.
_LONGEST_HEADER = 100_000_000


def check_tensors(folder: Path) -> None:
    """Raises TransferError where the folder's safetensors lack a tensor of the architecture in its config.json.

    EncoderError for a file that is no safetensors, or is shorter than its header says. Architectures that are not
    known here are passed over.
    """
    config = json.loads((folder / "config.json").read_bytes())
    there = {name for path in sorted(folder.glob("*.safetensors")) for name in tensor_names(path)}
    short = {name.removeprefix("roberta.") for name in there}
    missing = [
        name
        for name in encoder_tensors(str(config.get("model_type")), config["num_hidden_layers"])
        if name not in short
    ]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise TransferError(
            f"weights of the encoder in {folder}",
            f"{len(missing)} missing: {shown}",
            "Tensors that are missing would leave random weights in the model",
            "Point encoder.path to a whole checkpoint, or copy this one again",
        )


def encoder_tensors(model_type: str, num_layers: int) -> Iterator[str]:
    """The names, without prefix, of all weights of an encoder; none for an architecture that is not known."""
    if model_type not in _LAYERS:
        return
    yield from (f"embeddings.{name}.weight" for name in _EMBEDDINGS)
    yield from (f"{_NORMS[model_type]}.{part}" for part in _LINEAR)
    for layer in range(num_layers):
        for name in _LAYERS[model_type].split():
            yield from (f"encoder.layer.{layer}.{name}.{part}" for part in _LINEAR)


def tensor_names(path: Path) -> list[str]:
    """The names in a safetensors file's header; EncoderError where it is none, or where its end is missing."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length)) if 0 < length <= _LONGEST_HEADER else {}
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise _unreadable(path, f"it cannot be read as safetensors ({error})") from error
    if not header or os.path.getsize(path) < 8 + length + end:
        raise _unreadable(path, "it is cut short, or no safetensors file")
    return list(entries)


def _unreadable(path: Path, found: str) -> EncoderError:
    return EncoderError(f"weights in {path}", found, "Only safetensors are loaded", "Copy or save the checkpoint again")
