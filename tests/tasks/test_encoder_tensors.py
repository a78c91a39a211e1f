from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForMaskedLM

from stilts.errors import EncoderError, TransferError
from stilts.tasks.encoder_config import encoder_config
from stilts.tasks.encoder_tensors import check_tensors, checkpoint, encoder_tensors, lm_head_tensors

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "vocab_size": 11,
    "max_position_embeddings": 20,
    "type_vocab_size": 1,
    "pad_token_id": 1,
}
CONFIG = encoder_config("x", {"model_type": "xlm-roberta", **SIZES})


@pytest.mark.parametrize("model_type", ["xlm-roberta", "xlm-roberta-xl"])
def test_names_and_shapes_are_those_of_transformers(model_type: str) -> None:
    with torch.device("meta"):
        model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(model_type, **SIZES))  # type: ignore[no-untyped-call]
    # Tied, the word embeddings stand once among the parameters, under either name.
    names = {"lm_head.decoder.weight": "embeddings.word_embeddings.weight"}
    shapes = {name.removeprefix("roberta."): tuple(p.shape) for name, p in model.named_parameters()}
    theirs = {names.get(name, name): shape for name, shape in shapes.items()}
    config = encoder_config("x", {"model_type": model_type, **SIZES})
    ours = {**dict(encoder_tensors(config)), **{f"lm_head.{k}": v for k, v in lm_head_tensors(config).items()}}
    assert ours == theirs


def tensors(prefix: str = "") -> dict[str, torch.Tensor]:
    return {prefix + name: torch.zeros(shape) for name, shape in encoder_tensors(CONFIG)}


def write(folder: Path, weights: dict[str, torch.Tensor], **config: Any) -> Path:
    (folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta", **SIZES, **config}))
    save_file(weights, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("prefix", ["", "roberta."])
def test_a_whole_checkpoint_passes_and_one_without_a_tensor_does_not(prefix: str, tmp_path: Path) -> None:
    whole = {**tensors(prefix), f"{prefix}pooler.dense.bias": torch.zeros(8), "lm_head.decoder.bias": torch.zeros(11)}
    check_tensors(write(tmp_path, whole))
    del whole[f"{prefix}encoder.layer.1.output.dense.bias"]
    with pytest.raises(TransferError, match=r"1 missing: encoder\.layer\.1\.output\.dense\.bias"):
        check_tensors(write(tmp_path, whole))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("hidden_size", 16, r"word_embeddings\.weight|LayerNorm"),
        ("intermediate_size", 13, r"intermediate\.dense\.bias is \(12,\), by config\.json \(13,\)"),
        ("vocab_size", 12, r"word_embeddings\.weight is \(11, 8\), by config\.json \(12, 8\)"),
        ("max_position_embeddings", 21, r"position_embeddings\.weight is \(20, 8\)"),
        ("type_vocab_size", 2, r"token_type_embeddings\.weight is \(1, 8\)"),
        ("num_hidden_layers", 1, r"16 unexpected: encoder\.layer\.1\."),
        ("num_hidden_layers", 10_000, r"159968 missing"),
    ],
)
def test_a_size_that_the_weights_do_not_have_is_named(field: str, value: int, named: str, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=named):
        check_tensors(write(tmp_path, tensors(), **{field: value}))


def test_layers_without_end_are_refused_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(EncoderError, match="num_hidden_layers 1000000000"):
        check_tensors(write(tmp_path, tensors(), num_hidden_layers=10**9))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.bool, torch.float8_e4m3fn])
def test_weights_of_no_floating_point_are_named(dtype: torch.dtype, tmp_path: Path) -> None:
    odd = {**tensors(), "encoder.layer.0.output.dense.bias": torch.zeros(8).to(dtype)}
    with pytest.raises(TransferError, match=r"1 no floating point: encoder\.layer\.0\.output\.dense\.bias"):
        check_tensors(write(tmp_path, odd))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_floating_point_is_taken(dtype: torch.dtype, tmp_path: Path) -> None:
    check_tensors(write(tmp_path, {name: tensor.to(dtype) for name, tensor in tensors().items()}))


def test_a_masked_lm_head_that_does_not_fit_is_named(tmp_path: Path) -> None:
    head = {f"lm_head.{name}": torch.zeros(shape) for name, shape in lm_head_tensors(CONFIG).items()}
    check_tensors(write(tmp_path, {**tensors(), **head}))
    with pytest.raises(TransferError, match=r"masked-LM head.*bias is \(12,\)"):
        check_tensors(write(tmp_path, {**tensors(), **head, "lm_head.bias": torch.zeros(12)}))


def test_what_has_no_place_in_an_encoder_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"1 unexpected: classifier\.bias in model\.safetensors"):
        check_tensors(write(tmp_path, {**tensors(), "classifier.bias": torch.zeros(3)}))


def test_tensors_may_be_spread_over_files_and_none_may_stand_in_two(tmp_path: Path) -> None:
    whole = tensors()
    names = list(whole)
    write(tmp_path, {name: whole[name] for name in names[:10]})
    save_file({name: whole[name] for name in names[10:]}, tmp_path / "model-2.safetensors")
    check_tensors(tmp_path)
    assert {place.file.name for place in checkpoint(tmp_path).encoder.values()} == {
        "model.safetensors",
        "model-2.safetensors",
    }
    save_file({name: whole[name] for name in names[9:]}, tmp_path / "model-2.safetensors")
    with pytest.raises(EncoderError, match=r"stands in model-2\.safetensors and in model\.safetensors"):
        check_tensors(tmp_path)


def test_the_shared_encoders_fit(shared: Path) -> None:
    for name in ("xlmr-mini", "e5-small"):
        check_tensors(shared / "models" / name)
