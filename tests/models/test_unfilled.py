"""A model whose weights are replaced is built without making any, and is the same model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from stilts.models.model import fresh_model, load_model, save_model
from stilts.models.transfer import write_tensors
from stilts.models.unfilled import fill, without_weights
from tests.training.tiny import TINY


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("places", torch.arange(4), persistent=False)


def test_what_is_built_has_no_weights_and_is_filled_with_copies_in_its_own_type() -> None:
    with without_weights():
        model = Tied()
    assert all(each.is_meta for each in model.parameters()) and model.places.tolist() == [0, 1, 2, 3]
    model.first.bias.requires_grad_(False)
    weights = {name: torch.randn(each.shape).bfloat16() for name, each in model.state_dict().items()}
    weights["second.weight"] = weights["first.weight"]
    fill(model, weights)
    assert model.second.weight is model.first.weight and model.first.weight.dtype is torch.float32
    assert torch.equal(model.first.weight, weights["first.weight"].float())
    assert not model.first.bias.requires_grad and model.first.weight.requires_grad
    assert isinstance(nn.Linear(2, 2).weight.sum().item(), float), "afterwards weights are made again"


def test_a_loaded_model_draws_nothing_and_has_the_weights_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fresh_model({**TINY, "vocab_size": 50}, seed=3)
    save_model(made, tmp_path, tokenizer=b"{}")
    drawn: list[torch.Size] = []
    normal = torch.Tensor.normal_

    def seen(tensor: torch.Tensor, *given: float, **more: object) -> torch.Tensor:
        drawn.extend([] if tensor.is_meta else [tensor.shape])
        return normal(tensor, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.Tensor, "normal_", seen)
    before = torch.random.get_rng_state()
    loaded, transferred = load_model(tmp_path)
    assert drawn == [] and transferred.fresh == () and torch.equal(before, torch.random.get_rng_state())
    assert not any(each.is_meta for each in (*loaded.parameters(), *loaded.buffers()))
    ids, mask = torch.arange(12).view(2, 6), torch.ones(2, 6, dtype=torch.bool)
    assert torch.equal(made.eval().hidden(ids, mask), loaded.eval().hidden(ids, mask))
    for path in tmp_path.glob("*.safetensors"):
        path.unlink()
    write_tensors(tmp_path / "model.safetensors", made.encoder.state_dict())
    headless, transferred = load_model(tmp_path)
    assert transferred.fresh == ("lm_head",) and bool(headless.lm_head.dense.weight.std() > 0)
