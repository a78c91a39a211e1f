from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel

from stilts.errors import EncoderError, TransferError
from stilts.tasks.encoder_tensors import check_tensors, encoder_tensors, tensor_names

SIZES = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 11}


@pytest.mark.parametrize("model_type", ["xlm-roberta", "xlm-roberta-xl"])
def test_the_names_are_those_of_transformers(model_type: str) -> None:
    config = AutoConfig.for_model(model_type, **SIZES)
    with torch.device("meta"):
        model = AutoModel.from_config(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
    assert sorted(encoder_tensors(model_type, 2)) == sorted(name for name, _ in model.named_parameters())


def write(folder: Path, names: list[str]) -> Path:
    (folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta", **SIZES}))
    save_file({name: torch.zeros(3) for name in names}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("prefix", ["", "roberta."])
def test_a_whole_checkpoint_passes_and_one_without_a_tensor_does_not(prefix: str, tmp_path: Path) -> None:
    names = [prefix + name for name in encoder_tensors("xlm-roberta", 2)]
    check_tensors(write(tmp_path, [*names, "lm_head.bias"]))
    with pytest.raises(TransferError, match=r"1 missing: encoder\.layer\.1\.output\.dense\.bias"):
        check_tensors(write(tmp_path, [name for name in names if not name.endswith("1.output.dense.bias")]))


def test_tensors_may_be_spread_over_files(tmp_path: Path) -> None:
    names = list(encoder_tensors("xlm-roberta", 2))
    write(tmp_path, names[:10])
    save_file({name: torch.zeros(2) for name in names[10:]}, tmp_path / "model-2.safetensors")
    check_tensors(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"1234567", b"\xff" * 40, b"\x02" + b"\0" * 7 + b"[]", b"\x02" + b"\0" * 7 + b"{"]
)
def test_what_is_no_safetensors_file_is_named(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(EncoderError, match=r"model\.safetensors"):
        tensor_names(path)


def test_a_file_that_was_cut_short_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, list(encoder_tensors("xlm-roberta", 2))) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EncoderError, match="cut short"):
        check_tensors(tmp_path)
