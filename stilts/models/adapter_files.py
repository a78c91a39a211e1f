"""What an adapter's artifact holds, what it lies on, and how it is added to the weights below it: no layers here.

The artifact has ``adapter.json`` (its settings, and the artifacts that it rests on), the adapter's own tensors, the
heads, and the masked-LM head where that was trained. Configuration and tokenizer are those of its base.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from stilts.bounded_file import read_bounded
from stilts.errors import StiltsError, TransferError
from stilts.fingerprint import Json
from stilts.models.transfer import check_match, read_tensors
from stilts.models.weight_folders import Weights
from stilts.tasks.adapter import AdapterConfig, linear_shapes

ADAPTER_SETTINGS, ADAPTER_FILE = "adapter.json", "adapter.safetensors"
A, B = "lora_A", "lora_B"
_MOST_BYTES = 2**20


def write_settings(folder: Path, config: AdapterConfig, on: Mapping[str, Json]) -> None:
    """Writes ``adapter.json``; ``on`` names what the adapter lies on, for whoever finds the folder alone."""
    (folder / ADAPTER_SETTINGS).write_text(json.dumps({**config.payload(), "on": on}, indent=1, sort_keys=True))


def read_settings(folder: Path) -> AdapterConfig:
    """The adapter of an artifact; TransferError for settings that are not there, or not as they are written."""
    try:
        found = json.loads(read_bounded(folder / ADAPTER_SETTINGS, _MOST_BYTES))
        return AdapterConfig.of({name: value for name, value in found.items() if name != "on"})
    except (StiltsError, ValueError, TypeError, AttributeError) as error:
        raise TransferError(
            f"adapter in {folder.name}",
            f"{ADAPTER_SETTINGS} cannot be read ({' '.join(str(error).split())[:200]})",
            "It says what the adapter's tensors mean",
            "Use an artifact of this version of stilts",
        ) from error


def adapter_shapes(linear: Mapping[str, tuple[int, ...]], config: AdapterConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of an adapter's tensors, from the (out, in) shapes of an encoder's linear layers by name."""
    found: dict[str, tuple[int, ...]] = {}
    for module, (out, into) in linear.items():
        if config.adapts(module):
            found[f"{module}.{A}.weight"] = (config.rank, into)
            found[f"{module}.{B}.weight"] = (out, config.rank)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAdapter:
    """An adapter's settings and tensors, checked against the encoder that it belongs to."""

    config: AdapterConfig
    tensors: Mapping[str, torch.Tensor]

    @property
    def modules(self) -> tuple[str, ...]:
        """The linear layers that it stands at."""
        return tuple(name.partition(f".{A}.")[0] for name in self.tensors if f".{A}." in name)

    def added(self, module: str, weight: torch.Tensor) -> torch.Tensor:
        """A linear layer's matrix with the adapter merged into it: W + alpha / rank x B A, in fp32."""
        if module not in self.modules:
            return weight
        low, high = self.tensors[f"{module}.{A}.weight"].float(), self.tensors[f"{module}.{B}.weight"].float()
        return weight.float() + self.config.scaling * (high @ low)


def read_adapter(folder: Path, shapes: Mapping[str, Sequence[int]]) -> StoredAdapter:
    """The adapter in a folder, for an encoder with tensors of these shapes; TransferError unless all match."""
    config = read_settings(folder)
    tensors = read_tensors(folder / ADAPTER_FILE)
    wanted = adapter_shapes(linear_shapes((name, tuple(shape)) for name, shape in shapes.items()), config)
    check_match(tensors, wanted, what=f"the adapter in {folder.name}")
    return StoredAdapter(config=config, tensors=tensors)


def stored_adapters(weights: Weights, shapes: Mapping[str, Sequence[int]]) -> list[StoredAdapter]:
    """The adapters of a model, the lowest first, whose encoder has tensors of these shapes; TransferError if unlike."""
    return [read_adapter(folder, shapes) for folder in weights.adapters]


def merge_into(encoder: dict[str, torch.Tensor], adapters: Sequence[StoredAdapter]) -> None:
    """Merges adapters, the lowest first, into an encoder's tensors."""
    for adapter in adapters:
        for module in adapter.modules:
            encoder[f"{module}.weight"] = adapter.added(module, encoder[f"{module}.weight"])
