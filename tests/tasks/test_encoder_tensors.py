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
from stilts.tasks.encoder_tensors import check_tensors, checkpoint
from stilts.tasks.weight_files import files_not_read, weight_files

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
assert CONFIG.family.tensors is not None and CONFIG.family.lm_head_tensors is not None
ENCODER, LM_HEAD = tuple(CONFIG.family.tensors(CONFIG)), tuple(CONFIG.family.lm_head_tensors(CONFIG))


@pytest.mark.parametrize("model_type", ["xlm-roberta", "xlm-roberta-xl", "roberta", "bert"])
def test_names_and_shapes_are_those_of_transformers(model_type: str, tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(model_type, **SIZES))  # type: ignore[no-untyped-call]
    model.save_pretrained(tmp_path)
    check_tensors(tmp_path)
    found, config = checkpoint(tmp_path), encoder_config("x", {"model_type": model_type, **SIZES})
    assert config.family.tensors is not None and config.family.lm_head_tensors is not None
    shapes = {name: tensor.shape for name, tensor in found.encoder.items()}
    assert shapes == dict(config.family.tensors(config))
    assert {name: t.shape for name, t in found.lm_head.items()} == dict(config.family.lm_head_tensors(config))
    assert not found.heads


def tensors(prefix: str = "") -> dict[str, torch.Tensor]:
    return {prefix + name: torch.zeros(shape) for name, shape in ENCODER}


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
    head = {f"lm_head.{name}": torch.zeros(shape) for name, shape in LM_HEAD}
    check_tensors(write(tmp_path, {**tensors(), **head}))
    with pytest.raises(TransferError, match=r"masked-LM head.*bias is \(12,\)"):
        check_tensors(write(tmp_path, {**tensors(), **head, "lm_head.bias": torch.zeros(12)}))


def test_what_has_no_place_in_an_encoder_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"1 unexpected: encoder\.extra\.bias in model\.safetensors"):
        check_tensors(write(tmp_path, {**tensors(), "encoder.extra.bias": torch.zeros(3)}))


@pytest.mark.parametrize("prefix", ["", "roberta."])
def test_the_head_of_a_fine_tuned_checkpoint_is_named_and_left_out(prefix: str, tmp_path: Path) -> None:
    whole = {f"{prefix}{name}": tensor for name, tensor in tensors().items() if not name.startswith("lm_head.")}
    head = {
        "classifier.dense.weight": torch.zeros(4, 4),
        "classifier.out_proj.bias": torch.zeros(3),
        "qa_outputs.bias": torch.zeros(2),
    }
    check_tensors(write(tmp_path, {**whole, **head}))
    assert checkpoint(tmp_path).heads == ("classifier", "qa_outputs")
    assert not any("classifier" in name for name in checkpoint(tmp_path).encoder)


def test_shards_are_those_that_the_index_names(tmp_path: Path) -> None:
    whole, names = tensors(), list(tensors())
    shards = {"model-1.safetensors": names[:10], "model-2.safetensors": names[10:]}
    write(tmp_path, {})
    (tmp_path / "model.safetensors").unlink()
    for file, own in shards.items():
        save_file({name: whole[name] for name in own}, tmp_path / file)
    save_file({name: torch.zeros_like(tensor) for name, tensor in whole.items()}, tmp_path / "old.safetensors")
    index = {"weight_map": {name: file for file, own in shards.items() for name in own}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    check_tensors(tmp_path)
    assert {place.file.name for place in checkpoint(tmp_path).encoder.values()} == set(shards)
    assert files_not_read(tmp_path) == ["old.safetensors"]
    save_file({name: whole[name] for name in names[9:]}, tmp_path / "model-2.safetensors")
    with pytest.raises(EncoderError, match=r"stands in model-1\.safetensors and in model-2\.safetensors"):
        check_tensors(tmp_path)


@pytest.mark.parametrize("beside", ["model_old.safetensors", "adapter_model.safetensors", "pytorch_model.safetensors"])
def test_an_old_copy_or_an_adapter_beside_is_not_read(beside: str, tmp_path: Path) -> None:
    whole = tensors()
    write(tmp_path, whole)
    save_file({name: torch.zeros_like(tensor) for name, tensor in whole.items()}, tmp_path / beside)
    check_tensors(tmp_path)
    assert {place.file.name for place in checkpoint(tmp_path).encoder.values()} == {"model.safetensors"}
    assert files_not_read(tmp_path) == [beside]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (("a.safetensors", "b.safetensors"), "2 safetensors files"),
        (("adapter_model.safetensors",), "only an adapter"),
        (("pytorch_model.bin",), r"only pytorch_model\.bin"),
        ((), r"no \*\.safetensors"),
    ],
)
def test_where_nothing_says_what_the_weights_are_none_are_taken(
    files: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    for file in files:
        (tmp_path / file).write_bytes(b"x")
    with pytest.raises(EncoderError, match=said):
        weight_files(tmp_path)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "{", '{"weight_map": {"a": "../b.safetensors"}}', '{"weight_map": {"a": 1}}']
)
def test_an_index_that_names_no_files_of_its_folder_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(EncoderError, match="weights index"):
        weight_files(tmp_path)


def test_the_shared_encoders_fit(shared: Path) -> None:
    for name in ("xlmr-mini", "e5-small"):
        check_tensors(shared / "models" / name)
