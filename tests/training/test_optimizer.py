"""A clipped step is torch's own, on a CPU and where AdamW's kernel divides gradients itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from stilts.study.config import TrainConfig
from stilts.training.optimizer import clipped_step, make_optimizer

pytestmark = pytest.mark.on_device


def network(device: torch.device | str, size: float) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(7, 5), nn.LayerNorm(5), nn.Linear(5, 3))
    model.to(device)
    for number, parameter in enumerate(model.parameters()):
        gradient = torch.linspace(-1, number + 1, parameter.numel()).view_as(parameter) * size
        parameter.grad = gradient.to(device) if number != 1 else None  # one that nothing came through
    return model


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_a_step_is_torchs_clipping_and_its_step(size: float, device: torch.device) -> None:
    config = TrainConfig(steps=1, learning_rate=0.1, weight_decay=0.3)
    ours, theirs = network(device, size), network("cpu", size)
    clipped_step(ours, make_optimizer(ours, config), 0.5)
    torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
    make_optimizer(theirs, config).step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.detach().cpu(), other.detach(), rtol=1e-6, atol=1e-6)


def test_no_gradient_is_no_change_and_no_number_stays_none(device: torch.device) -> None:
    config = TrainConfig(steps=1, learning_rate=0.1)
    model = network(device, 1.0)
    optimizer = make_optimizer(model, config)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = None
    clipped_step(model, optimizer, 1.0)
    assert all(torch.equal(one.cpu(), other.cpu()) for one, other in zip(model.parameters(), before, strict=True))
    last = list(model.parameters())[-1]
    last.grad = torch.full_like(last, float("nan"))
    clipped_step(model, optimizer, 1.0)
    assert bool(torch.isnan(last).all()) and getattr(optimizer, "grad_scale", None) is None
