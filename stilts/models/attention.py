"""Attention of our encoders: with counted dropout of its probabilities, or without any by what is fastest here.

Which path is taken changes rounding only. It was measured (docs/decisions.md, 68): torch's fused attention has no
kernel for bf16 with a backward pass on CPUs, nor one that is deterministic with a mask on GPUs; what it then does is
slower than probabilities that are written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from stilts.models.compiled_sites import SITES
from stilts.models.dropout import DropoutStream

ATTENTION = "stilts_counted"
# Keys up to which plain attention is faster than torch's kernel for bf16 on a CPU, without a backward pass.
_SHORT = 64


def counted_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    position_bias: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Scaled dot-product attention with counted dropout of its probabilities, for transformers' interface.

    ``query``, ``key``, ``value``: (rows, heads, tokens, channels); ``attention_mask``: True where a key may be seen,
    None where all may. Keys and values may have fewer heads, each for several neighbouring ones of queries.
    ``position_bias`` (1 or rows, heads, tokens, tokens) is added to the scores.
    """
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if key.shape[1] != query.shape[1]:
        group = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
    if position_bias is not None:
        attention_mask = _biased(position_bias.to(query.dtype), attention_mask)
    if dropout == 0.0 and _has_fast_kernel(query, attention_mask):
        out = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask, scale=scale)
        return out.transpose(1, 2).contiguous(), None
    if query.device.type != "cpu":
        return _in_one_site(module, query, key, value, attention_mask, dropout, scale), None
    scores = torch.matmul(query, key.transpose(2, 3)).mul_(scale)  # nothing else needs the product as it was
    if attention_mask is not None:
        scores.add_(_added(attention_mask, scores.dtype))
    probabilities = torch.softmax(scores.float(), dim=-1).to(query.dtype)
    if dropout > 0.0:
        stream, site = _dropout_of(module)
        probabilities = stream.thinned(probabilities, site, dropout)
    return torch.matmul(probabilities, value).transpose(1, 2).contiguous(), None


def _in_one_site(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
    scale: float,
) -> torch.Tensor:
    """Two products, and one site between them."""
    scores = torch.matmul(query, key.transpose(2, 3))
    drop = None
    if dropout > 0.0:
        stream, site = _dropout_of(module)
        drop = stream.drop(scores.shape, site, dropout, query.device)
    added = None if mask is None else _added(mask, scores.dtype)
    probabilities = SITES("attended", query.device)(scores, added, scale, drop)
    return torch.matmul(probabilities, value).transpose(1, 2).contiguous()


def _dropout_of(module: nn.Module) -> tuple[DropoutStream, int]:
    """Where an attention module finds its keys, and which site it is."""
    return module.stilts_stream(), int(module.stilts_site)  # type: ignore[operator, arg-type]


def _added(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A mask as what is added to scores: a sum has a gradient that costs nothing, a fill has not."""
    if mask.dtype is not torch.bool:
        return mask
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, float("-inf"))


def _biased(bias: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """What is added to scores: the bias, and minus infinity where a key may not be seen."""
    return bias if mask is None else bias.masked_fill(~mask, float("-inf"))


def _has_fast_kernel(query: torch.Tensor, mask: torch.Tensor | None) -> bool:
    """Whether torch has a fused kernel for it that is faster than plain attention."""
    is_trained = torch.is_grad_enabled() and query.requires_grad
    if query.device.type == "cpu":
        return query.dtype is not torch.bfloat16 or not (is_trained or query.shape[2] <= _SHORT)
    return mask is None or not (is_trained and torch.are_deterministic_algorithms_enabled())


@contextmanager
def forward_only() -> Iterator[None]:
    """Inference, in which the memory-efficient kernel may be taken: only its backward pass is not deterministic."""
    before = torch.backends.cuda.mem_efficient_sdp_enabled()  # type: ignore[no-untyped-call]
    torch.backends.cuda.enable_mem_efficient_sdp(True)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.backends.cuda.enable_mem_efficient_sdp(before)


def register_attention() -> str:
    """Makes ``counted_attention`` known to transformers and returns its name; harmless when repeated."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ATTENTION, counted_attention)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    return ATTENTION
