"""Layers of our own on a device: the CPU's numbers, dropout's very masks, and weights that are followed."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stilts.models.architectures import post_norm
from stilts.models.half_copies import HalfCopies
from stilts.models.model import StiltsModel, fresh_model
from stilts.models.recomputed import recompute_layers
from stilts.training.optimizer import clipped_step
from tests.training.tiny import TINY

pytestmark = pytest.mark.on_device
TYPES = ["xlm-roberta", "roberta", "bert"]
ROWS, TOKENS = 3, 9


def model_of(model_type: str = "xlm-roberta", *, dropout: float = 0.3) -> StiltsModel:
    config = {**TINY, "vocab_size": 60, "model_type": model_type}
    return fresh_model(config, seed=1, dropout=dropout, attention_dropout=dropout).train()


def ids_and_mask(device: torch.device | str) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.arange(ROWS * TOKENS).view(ROWS, TOKENS) % 50 + 4
    mask = torch.ones(ROWS, TOKENS, dtype=torch.bool)
    mask[1, 6:] = mask[2, 3:] = False
    return ids.masked_fill(~mask, 1).to(device), mask.to(device)


def state_and_gradients(
    model: StiltsModel, device: torch.device | str, *, half: bool = False, layer: int | None = None
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """A hidden state where tokens are, and what a loss on it says of each weight."""
    model.to(device)
    ids, mask = ids_and_mask(device)
    model.stream.keys = torch.arange(ROWS, dtype=torch.int32).to(device)
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
        hidden = model.hidden(ids, mask) if layer is None else model.hidden_at(ids, mask, layer)
    assert hidden.dtype is torch.float32
    weights = torch.linspace(-1, 1, hidden.shape[-1]).to(device)
    (hidden * weights * mask[..., None]).sum().backward()  # type: ignore[no-untyped-call]
    found = {
        name: parameter.grad.cpu() for name, parameter in model.encoder.named_parameters() if parameter.grad is not None
    }
    return (hidden * mask[..., None]).detach().cpu(), found


def apart(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-12))


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("model_type", TYPES)
def test_our_layers_are_transformers_own(model_type: str, dropout: float, device: torch.device) -> None:
    on_cpu, gradients = state_and_gradients(model_of(model_type, dropout=dropout), "cpu")
    on_device, ours = state_and_gradients(model_of(model_type, dropout=dropout), device)
    assert apart(on_device, on_cpu) < 1e-5
    assert ours.keys() == gradients.keys()
    # Of keys' biases the gradient is zero but for rounding.
    assert max(apart(ours[name], gradients[name]) for name in ours if "key.bias" not in name) < 1e-4


@pytest.mark.parametrize("model_type", TYPES)
def test_in_bf16_they_differ_by_its_rounding(model_type: str, device: torch.device) -> None:
    exact, gradients = state_and_gradients(model_of(model_type), "cpu")
    on_device, ours = state_and_gradients(model_of(model_type), device, half=True)
    assert 0 < apart(on_device, exact) < 0.03
    assert ours.keys() == gradients.keys() and all(each.dtype is torch.float32 for each in ours.values())
    for name in ours:
        if "key.bias" not in name:
            assert apart(ours[name], gradients[name]) < 0.1, name


@pytest.mark.parametrize("half", [False, True])
def test_a_layers_state_costs_the_layers_below_it(
    half: bool, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ran = post_norm._layer, []
    monkeypatch.setattr(post_norm, "_layer", lambda *given: ran.append(1) or real(*given))
    on_cpu, gradients = state_and_gradients(model_of(), "cpu", layer=1)
    assert ran == []
    on_device, ours = state_and_gradients(model_of(), device, half=half, layer=1)
    assert ran == [1] and apart(on_device, on_cpu) < (0.03 if half else 1e-5)
    assert ours.keys() == gradients.keys() and not any("layer.1." in name for name in ours)


def test_copies_follow_their_weights_and_are_made_once_a_step(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = HalfCopies._follow

    def follow(self: Any, originals: list[torch.Tensor]) -> None:
        before = self._seen
        real(self, originals)
        made.append(before != self._seen)

    monkeypatch.setattr(HalfCopies, "_follow", follow)
    model = model_of()
    first, _ = state_and_gradients(model, device, half=True)
    again, twice = state_and_gradients(model, device, half=True)
    assert made == [True, False] and torch.equal(first, again), "a micro-batch of the same step"
    _, once = state_and_gradients(model_of(), device, half=True)
    assert max(apart(twice[name], 2 * once[name]) for name in once) < 1e-6, "micro-batches add up"
    clipped_step(model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True), 1.0)
    after, _ = state_and_gradients(model, device, half=True)
    assert made[-1] and apart(after, first) > 0.1
    fresh = model_of()
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(after, state_and_gradients(fresh, device, half=True)[0])


def test_frozen_weights_have_no_gradient(device: torch.device) -> None:
    model = model_of()
    frozen = model.encoder.encoder.layer[0].attention.self.key  # type: ignore[union-attr, index]
    frozen.weight.requires_grad_(False)  # type: ignore[union-attr]
    _, found = state_and_gradients(model, device, half=True)
    _, wanted = state_and_gradients(model_of(), device, half=True)
    assert frozen.weight.grad is None
    assert wanted.keys() - found.keys() == {"encoder.layer.0.attention.self.key.weight"}
    assert all(torch.equal(found[name], wanted[name]) for name in found)


def test_inference_before_training_leaves_copies_that_can_be_trained(device: torch.device) -> None:
    model = model_of()
    model.to(device).eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        model.hidden(*ids_and_mask(device))
    found, gradients = state_and_gradients(model.train(), device, half=True)
    fresh, wanted = state_and_gradients(model_of(), device, half=True)
    assert torch.equal(found, fresh) and all(torch.equal(gradients[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("half", [False, True])
def test_layers_that_are_computed_again_give_the_same_bits(
    half: bool, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, wanted = state_and_gradients(model_of(), device, half=half)
    real, ran = post_norm._layer, []
    monkeypatch.setattr(post_norm, "_layer", lambda *given: ran.append(1) or real(*given))
    model = model_of()
    recompute_layers(model.encoder, model.architecture.layers, model.stream)
    found, gradients = state_and_gradients(model, device, half=half)
    assert len(ran) == 2 * TINY["num_hidden_layers"] and torch.equal(found, plain)
    assert all(torch.equal(gradients[name], wanted[name]) for name in wanted)
