"""Stages over a tiny encoder and toy data, for tests of training and execution."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from stilts.data.toy import toy_tokenizer_json
from stilts.models.model import fresh_model, save_model
from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.study.stage import EvaluateItem, EvaluateStage, MixturePart, TrainStage, Use
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.resolve_encoder import encoder_from_folder
from stilts.tasks.task import Source
from stilts.training.run_config import RunConfig

TINY = {
    "model_type": "xlm-roberta",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 132,
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "layer_norm_eps": 1e-5,
}


def write_tiny_encoder(folder: Path) -> None:
    """Writes a random encoder and its tokenizer in the layout of a pretrained one."""
    tokenizer = toy_tokenizer_json()
    size = len(json.loads(tokenizer)["model"]["vocab"])
    model = fresh_model({**TINY, "vocab_size": size + 8}, seed=0)
    save_model(model, folder, tokenizer=tokenizer.encode())


def encoder_ref(folder: Path) -> EncoderRef:
    """The encoder in the folder, under the root ``study``."""
    return encoder_from_folder("tiny", "study", folder.name, {"study": folder.parent})


def run_device() -> torch.device:
    """Where models run unless told otherwise: the CPU, or what ``--device`` says."""
    return torch.device(RunConfig().device)


def run_config(folder: Path, **changes: object) -> RunConfig:
    """One thread, tokenized in memory."""
    return replace(RunConfig(threads=1, roots={"study": str(folder.parent)}), **changes)  # type: ignore[arg-type]


def part(name: str, weight: float = 1.0, limit: int = 64, **config: object) -> MixturePart:
    """A toy task of the catalogue, with at most ``limit`` training examples."""
    registry = default_registry()
    resolver = Resolver(registry, {}, source=Source.TOY)
    task = registry.task(name)
    train, select = resolver.intermediate_views(task, train_limit=limit, select_limit=24)
    fields = {"batch_size": 8, "max_length": 96, "doc_stride": 32, "layer": 1, **config}
    return MixturePart(task=task, weight=weight, config=TaskConfig(**fields), train=train, select=select)  # type: ignore[arg-type]


def train_stage(folder: Path, *parts: MixturePart, seed: int = 1, **config: object) -> TrainStage:
    """A stage of 10 steps (unless told otherwise) over the parts."""
    fields = {"steps": 10, "learning_rate": 1e-3, **config}
    return TrainStage(
        parent=None,
        encoder=encoder_ref(folder),
        mixture=parts or (part("mnli"),),
        config=TrainConfig(**fields),  # type: ignore[arg-type]
        seed=seed,
    )


def evaluate_stage(
    folder: Path, name: str, parent: str | None, *languages: str, limit: int = 24, select: int = 0
) -> EvaluateStage:
    """A target of the catalogue in toy languages, scored for ``parent``; ``select`` is how many examples choose."""
    registry = default_registry()
    task = registry.task(name)
    resolver = Resolver(registry, {}, source=Source.TOY)
    views = resolver.target_views(task, languages=languages, test_limit=limit, select_limit=select or None)
    chosen_by = tuple(EvaluateItem(use=Use.SELECT, view=view) for view in views.select) if select else ()
    return EvaluateStage(
        parent=parent,
        encoder=encoder_ref(folder),
        task=task,
        config=TaskConfig(batch_size=8, max_length=96, doc_stride=32, layer=1),
        precision=Precision.FP32,
        items=(*chosen_by, *(EvaluateItem(use=Use.REPORT, view=view) for view in views.report)),
    )
