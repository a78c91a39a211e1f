"""Whether a tensor is a rank's part of one that FSDP2 spreads over several."""

from __future__ import annotations

import torch


def is_shard(tensor: torch.Tensor) -> bool:
    """Whether a tensor is this rank's part of one that is spread over all."""
    return hasattr(tensor, "full_tensor")
