"""A merge: differences of recipes from what they started from, added to it by weights. Nothing is trained.

Tensors are read, added and written one by one, in fp32, so that no more than a few are in memory.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from stilts.errors import TransferError
from stilts.execute.inputs import start_weights
from stilts.execute.origins import weights_of
from stilts.fingerprint import Json
from stilts.models.adapter_files import StoredAdapter, stored_adapters
from stilts.models.model import CONFIG_FILE, TOKENIZER_FILE
from stilts.models.transfer import check_finite, stream_tensors, tensor_of, write_tensors
from stilts.models.weight_folders import Weights
from stilts.store.artifact_store import ArtifactStore, Lease
from stilts.study.stage import MergeStage
from stilts.tasks.encoder_tensors import checkpoint
from stilts.tasks.safetensors_header import StoredTensor
from stilts.tasks.weight_files import ENCODER_FILE, LM_HEAD_FILE
from stilts.training.device import execution_record
from stilts.training.run_config import RunConfig


def run_merge(stage: MergeStage, store: ArtifactStore, run: RunConfig, lease: Lease) -> None:
    """Merges and publishes the stage; TransferError where a recipe has other tensors than the start."""
    started = time.time()
    start = start_weights(stage, store, run)
    assert start is not None, "a toy study's encoder is a stage of its own"
    base = StoredEncoder(weights=start)
    recipes = []
    for part in stage.merged:
        origin = weights_of(part.stage_id, store)
        folder = start.base if origin.base is None else store.fetch(origin.base)
        recipe = StoredEncoder(weights=Weights(base=folder, adapters=tuple(map(store.fetch, origin.adapters))))
        if recipe.shapes != base.shapes:
            raise TransferError(
                f"weights of {part.stage_id}",
                "it has other tensors, or of other shapes, than the encoder that it started from",
                "Only differences of the same weights can be added",
                "Delete what the store has of it: the next run trains it again",
            )
        recipes.append((recipe, part.weight))
    with tempfile.TemporaryDirectory(dir=run.scratch_dir, prefix="stilts-artifact-") as name:
        folder = Path(name)
        for file in (CONFIG_FILE, TOKENIZER_FILE):
            shutil.copyfile(start.base / file, folder / file)
        shapes = {name: (torch.Size(shape), torch.float32) for name, shape in base.shapes.items()}
        stream_tensors(folder / ENCODER_FILE, shapes, _merged(base, recipes, what=stage.name))
        if base.lm_head:
            write_tensors(folder / LM_HEAD_FILE, base.lm_head)
        ended = time.time()
        result: dict[str, Json] = {
            "kind": stage.kind.value,
            "stage_id": stage.stage_id,
            "name": stage.name,
            "parent": stage.parent,
            "started": started,
            "ended": ended,
            "seconds": ended - started,
            "steps": 0,
            "merged": dict[str, Json]((part.stage_id, part.weight) for part in stage.merged),
            "execution": execution_record(run),
        }
        store.publish(stage.stage_id, folder, payload=stage.payload, result=result, lease=lease)


@dataclass(frozen=True, kw_only=True)
class StoredEncoder:
    """An encoder's tensors as they lie in folders, adapters merged as each is read."""

    weights: Weights

    @cached_property
    def _places(self) -> Mapping[str, StoredTensor]:
        return checkpoint(self.weights.base).encoder

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor, by name."""
        return {name: place.shape for name, place in self._places.items()}

    @cached_property
    def _adapters(self) -> list[StoredAdapter]:
        return stored_adapters(self.weights, self.shapes)

    @cached_property
    def lm_head(self) -> dict[str, torch.Tensor]:
        """The masked-LM head of the base; empty where it has none."""
        places = checkpoint(self.weights.base).lm_head
        return {name: tensor_of(place.file, place.name) for name, place in places.items()}

    def tensor(self, name: str) -> torch.Tensor:
        """One tensor in fp32."""
        place = self._places[name]
        found = tensor_of(place.file, place.name).float()
        for adapter in self._adapters if name.endswith(".weight") else ():
            found = adapter.added(name.removesuffix(".weight"), found)
        return found


def _merged(
    base: StoredEncoder, recipes: list[tuple[StoredEncoder, float]], *, what: str
) -> Iterator[tuple[str, torch.Tensor]]:
    for name in base.shapes:
        start = base.tensor(name)
        found = start.clone()
        for recipe, weight in recipes:
            found += weight * (recipe.tensor(name) - start)
        check_finite({name: found}, what=what)
        yield name, found.contiguous()
