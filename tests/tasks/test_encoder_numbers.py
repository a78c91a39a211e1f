"""One weight that is no number is found wherever it lies, and named; every finite number is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stilts.errors import TransferError
from stilts.tasks import encoder_numbers
from stilts.tasks.encoder_numbers import check_numbers

FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


@pytest.fixture(autouse=True)
def config(tmp_path: Path) -> None:
    """What says which tensors are the encoder's."""
    (tmp_path / "config.json").write_text('{"model_type": "xlm-roberta"}')


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("at", [0, 499, 999])
def test_a_weight_that_is_no_number_is_named(
    dtype: torch.dtype, bad: float, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_numbers, "_AT_ONCE", 256)
    tensor = torch.zeros(1000, dtype=dtype)
    tensor[at] = bad
    save_file({"roberta.good": torch.ones(3), "roberta.bad": tensor}, tmp_path / "model.safetensors")
    with pytest.raises(TransferError, match=r"model\.safetensors: roberta\.bad holds NaN or infinity"):
        check_numbers(tmp_path)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_largest_and_smallest_numbers_are_numbers(dtype: torch.dtype, tmp_path: Path) -> None:
    limits = torch.finfo(dtype)
    extremes = torch.tensor([limits.max, limits.min, limits.tiny, -0.0, 0.0, limits.tiny / 2], dtype=dtype)
    save_file({"a": extremes, "empty": torch.zeros(0, dtype=dtype)}, tmp_path / "model.safetensors")
    check_numbers(tmp_path)


def test_what_is_left_out_of_the_model_may_hold_anything(tmp_path: Path) -> None:
    weights = {"a": torch.ones(3), "pooler.dense.weight": torch.full((3,), float("nan"))}
    save_file(weights, tmp_path / "model.safetensors")
    check_numbers(tmp_path)


def test_the_shared_encoders_hold_numbers(shared: Path) -> None:
    for name in ("xlmr-mini", "e5-small"):
        check_numbers(shared / "models" / name)
