"""What is sharded by itself, how it is written, and how a global batch is dealt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from stilts.data.batches import dealt, micro_batches
from stilts.models.transfer import read_tensors, stream_tensors, tensors_in
from stilts.training.run_config import RunConfig, Sharding
from stilts.training.sharding import is_sharded


def model_of(weights: float, trained: float) -> nn.Module:
    """As many weights, on no device."""
    with torch.device("meta"):
        model = nn.ParameterList([torch.empty(int(trained)), torch.empty(int(weights - trained))])
    model[1].requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("weights", "trained", "sharded"),
    [(0.56e9, 0.56e9, False), (3.5e9, 3.5e9, True), (10.7e9, 10.7e9, True), (3.5e9, 0.03e9, False)],
    ids=["Large", "XL", "XXL", "XL with adapters"],
)
def test_what_fills_a_card_is_sharded(weights: float, trained: float, sharded: bool) -> None:
    assert is_sharded(model_of(weights, trained), RunConfig(ranks=4)) is sharded


def test_one_rank_never_shards_and_a_word_decides() -> None:
    model = model_of(10.7e9, 10.7e9)
    assert not is_sharded(model, RunConfig(sharding=Sharding.FSDP))
    assert not is_sharded(model, RunConfig(ranks=2, sharding=Sharding.ALL_REDUCE))
    assert is_sharded(model_of(10, 10), RunConfig(ranks=2, sharding=Sharding.FSDP))


def test_tensors_that_come_one_by_one_are_read_as_safetensors(tmp_path: Path) -> None:
    tensors = {
        "b.weight": torch.randn(5, 3),
        "a": torch.tensor(7.0),
        "half": torch.randn(3).bfloat16(),
        "count": torch.arange(4),
        "none": torch.zeros(0, 2),
    }
    shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
    stream_tensors(tmp_path / "x.safetensors", shapes, iter(tensors.items()))
    for found in (read_tensors(tmp_path / "x.safetensors"), dict(tensors_in(tmp_path / "x.safetensors"))):
        assert found.keys() == tensors.keys()
        assert all(found[name].dtype == one.dtype and torch.equal(found[name], one) for name, one in tensors.items())


@pytest.mark.parametrize(("units", "ranks"), [(32, 4), (10, 4), (3, 4), (7, 1)])
def test_each_unit_goes_to_one_rank_and_no_rank_has_two_more_than_another(units: int, ranks: int) -> None:
    chosen = np.random.default_rng(0).permutation(100)[:units]
    lengths = np.arange(100)[::-1] // 3
    shares = dealt(chosen, lengths, ranks)
    assert sorted(np.concatenate(shares)) == sorted(chosen)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    if ranks == 1:  # what a rank then cuts is what one process has always cut
        old, new = micro_batches(chosen, lengths, 4), micro_batches(shares[0], lengths, 4)
        assert all((one == other).all() for one, other in zip(old, new, strict=True))
