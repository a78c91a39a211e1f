"""AdamW of a stage, and its step with gradients clipped to a norm (Pascanu et al. 2013, arXiv 1211.5063)."""

from __future__ import annotations

import torch
from torch import nn

from stilts.models.shards import is_shard
from stilts.study.config import TrainConfig

# torch's clip_grad_norm_ adds so much to a norm before it divides by it.
_SOME = 1e-6


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over all parameters that train; biases and layer norms are not decayed."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.learning_rate,
        betas=(config.adam_beta1, config.adam_beta2),
        eps=config.adam_epsilon,
        fused=True,
    )


def clipped_step(model: nn.Module, optimizer: torch.optim.AdamW, clip_norm: float) -> None:
    """One step of gradients whose norm over all parameters is at most ``clip_norm``.

    On a device AdamW's own kernel divides them as it reads them (what loss scaling uses it for): a pass over all
    gradients less. On CPUs, and where ranks hold parts of them, they are scaled first.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients or gradients[0].device.type == "cpu" or is_shard(gradients[0]):
        torch.nn.utils.clip_grad_norm_(parameters, clip_norm)
        optimizer.step()
        return
    norm = torch.nn.utils.get_total_norm(gradients, foreach=True)
    optimizer.grad_scale = ((norm + _SOME) / clip_norm).clamp(min=1.0)  # type: ignore[attr-defined]
    try:
        optimizer.step()
    finally:
        del optimizer.grad_scale  # type: ignore[attr-defined]
    # torch's fused kernel forgets to count what it changed, which copies of weights go by (``half_copies.py``).
    torch.autograd.graph.increment_version(parameters)
