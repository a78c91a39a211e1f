"""What `throughput.py` feeds both sides: encoders, and tokenized examples with the lengths of real data."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.data.encoded import Encoded, Ragged
from stilts.data.tokenizing import read_tokenizer
from stilts.kinds.prepare import Preparation
from stilts.models.model import fresh_model, save_model
from stilts.study.config import TaskConfig
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Task
from stilts.tasks.view import DataView

SHARED = Path(os.environ.get("STILTS_SHARED", Path(__file__).resolve().parents[2] / "shared"))
ROOTS = {"data": SHARED / "data", "text": SHARED / "text"}
# Width, layers, heads, inner width of the random encoders, from the configurations that were published with XLM-R.
_SHAPES = {"xlmr-base": (768, 12, 12, 3072), "xlmr-large": (1024, 24, 16, 4096)}
_VOCABULARY = 250_002
# What each part trains on; contexts of questions are cut into windows of 256 tokens, a mini encoder's length.
_PARTS = {
    "classification": ("mnli", TaskConfig(batch_size=32, max_length=128)),
    "tagging": ("udpos", TaskConfig(batch_size=32, max_length=128)),
    "qa": ("tydiqa", TaskConfig(batch_size=16, max_length=256, doc_stride=64)),
}
EVALUATED = ("en", "ar", "de", "el", "es", "fr", "hi", "ru", "tr", "zh")  # ten languages of XNLI


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A task, its settings, and its examples as both sides get them."""

    task: Task
    config: TaskConfig
    encoded: Encoded
    prepared: Preparation

    @property
    def tokens(self) -> int:
        """Tokens of one epoch, padding left out."""
        return int(self.encoded.ids.lengths.sum())


def encoder_folder(name: str, scratch: Path) -> Path:
    """The folder of an encoder of the shared folder, or of random weights in the size that is asked for."""
    if name not in _SHAPES:
        return SHARED / "models" / name
    width, layers, heads, inner = _SHAPES[name]
    folder = scratch / name
    if not folder.exists():
        folder.mkdir(parents=True)
        config = {
            **{"model_type": "xlm-roberta", "hidden_size": width, "num_hidden_layers": layers},
            **{"num_attention_heads": heads, "intermediate_size": inner, "vocab_size": _VOCABULARY},
            **{"max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5},
        }
        tokenizer = (SHARED / "models" / "xlmr-mini" / "tokenizer.json").read_bytes()
        save_model(fresh_model(config, seed=0), folder, tokenizer=tokenizer)
    return folder


def training_work(part: str, folder: Path, examples: int, *, batch_size: int | None, max_length: int | None) -> Work:
    """The part's first examples (of English training data), a whole number of batches."""
    name, config = _PARTS[part]
    config = TaskConfig(
        batch_size=batch_size or config.batch_size,
        max_length=max_length or config.max_length,
        doc_stride=config.doc_stride,
    )
    task, prepared = default_registry().task(name), prepared_for(folder)
    assert task.train is not None
    view = _resolver().views(task.train, task.kind, ["en"], limit=examples)[0]
    encoded = prepared.encoded(task, view, **config.lengths)
    whole = len(encoded) // config.batch_size * config.batch_size
    drawn = np.random.default_rng(0).permutation(len(encoded))[: min(whole, examples)]
    return Work(task=task, config=config, encoded=_chosen(encoded, np.sort(drawn)), prepared=prepared)


def evaluation_views(examples: int) -> tuple[Task, list[DataView]]:
    """XNLI in ten languages."""
    task = default_registry().task("xnli")
    assert task.test is not None
    return task, list(_resolver().views(task.test, task.kind, EVALUATED, limit=examples))


def rows_for_trainer(work: Work) -> list[dict[str, Any]]:
    """The examples as lists of dictionaries, ready for transformers' collators."""
    return [_row(work.encoded, unit) for unit in range(len(work.encoded))]


def _row(encoded: Encoded, unit: int) -> dict[str, Any]:
    ids = encoded.ids[unit].tolist()
    row: dict[str, Any] = {"input_ids": ids, "attention_mask": [1] * len(ids)}
    if encoded.labels is not None:
        row["labels"] = int(encoded.labels[unit])
    if encoded.row_labels is not None:
        row["labels"] = encoded.row_labels[unit].tolist()
    if encoded.spans is not None:
        row["start_positions"], row["end_positions"] = map(int, encoded.spans[unit])
    return row


def prepared_for(folder: Path) -> Preparation:
    """The encoder's tokenizer, with the shared data; nothing is cached."""
    tokenizer = read_tokenizer(folder / "tokenizer.json")
    return Preparation(tokenizer=tokenizer, fingerprint="benchmark", roots={k: str(v) for k, v in ROOTS.items()})


def _resolver() -> Resolver:
    return Resolver(default_registry(), {name: root for name, root in ROOTS.items() if root.is_dir()})


def _chosen(encoded: Encoded, units: NDArray[np.int64]) -> Encoded:
    """Some units of an encoding whose units have one row each."""

    def part(ragged: Ragged | None) -> Ragged | None:
        return None if ragged is None else Ragged.of([ragged[int(unit)] for unit in units])

    return replace(
        encoded,
        ids=Ragged.of([encoded.ids[int(unit)] for unit in units]),
        unit_example=np.arange(len(units), dtype=np.int32),
        num_examples=len(units),
        labels=None if encoded.labels is None else encoded.labels[units],
        spans=None if encoded.spans is None else encoded.spans[units],
        row_labels=part(encoded.row_labels),
        words=part(encoded.words),
        chars=part(encoded.chars),
    )
