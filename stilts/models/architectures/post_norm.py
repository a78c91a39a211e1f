"""Layers of BERT's shape on a GPU: each product one kernel, each site between two of them one.

The same numbers as transformers' own layers, but for rounding: the residual stream is fp32, and what products read of
it is written beside it in their dtype.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from torch import nn

from stilts.models.attention import counted_attention
from stilts.models.compiled_sites import SITES
from stilts.models.half_copies import HalfCopies, LayerCopies
from stilts.models.shards import is_shard

_COPIES = "stilts_half_copies"


def is_post_norm(layers: Any) -> bool:
    """Whether layers are BERT's, whole on this device and as transformers made them."""
    layer = layers[0]
    output: Any = getattr(layer.attention, "output", None)
    return (
        isinstance(getattr(output, "LayerNorm", None), nn.LayerNorm)
        and isinstance(getattr(layer.output, "LayerNorm", None), nn.LayerNorm)
        and not is_shard(output.LayerNorm.weight)
    )


def through_layers(
    encoder: Any, layers: Any, embedded: torch.Tensor, seen: torch.Tensor | None, count: int
) -> torch.Tensor:
    """The hidden state (rows, tokens, width) behind the first ``count`` layers.

    ``embedded`` is what the first is given; ``seen`` (rows, 1, 1, tokens): True where a token is, None: everywhere.
    """
    copies = _copies_of(encoder, layers).taken()
    narrow = embedded
    if torch.is_autocast_enabled(embedded.device.type):
        narrow = embedded.to(torch.get_autocast_dtype(embedded.device.type))
    state = embedded, narrow
    for number, layer in enumerate(layers[:count]):
        run = partial(_layer, layer, copies[number] if copies else None)
        recompute = getattr(layer, "recompute", None)  # what gradient checkpointing gives a layer
        state = run(state, seen) if recompute is None else recompute(run)(state, seen)
    return state[0]


def _layer(
    layer: Any, copies: LayerCopies | None, state: tuple[torch.Tensor, torch.Tensor], seen: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    wide, narrow = state
    attention = layer.attention.self
    dropout = attention.dropout.p if attention.training else 0.0
    query, key, value = _heads(attention, copies, narrow)
    context, _ = counted_attention(attention, query, key, value, seen, dropout=dropout, scaling=attention.scaling)
    output = layer.attention.output
    added = _product(context.flatten(2), output.dense, copies and (copies.out, copies.out_bias))
    wide, narrow = _joined(output, added, wide, narrow)
    inner = _product(narrow, layer.intermediate.dense, copies and (copies.inner, copies.inner_bias))
    inner = layer.intermediate.intermediate_act_fn(inner)
    added = _product(inner, layer.output.dense, copies and (copies.outer, copies.outer_bias))
    return _joined(layer.output, added, wide, narrow)


def _product(x: torch.Tensor, linear: nn.Module, copy: tuple[torch.Tensor, torch.Tensor] | None) -> torch.Tensor:
    return cast(torch.Tensor, linear(x)) if copy is None else nn.functional.linear(x, *copy)


def _joined(
    output: Any, added: torch.Tensor, wide: torch.Tensor, narrow: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    norm = output.LayerNorm
    out: tuple[torch.Tensor, torch.Tensor] = SITES("joined", added.device)(
        added, wide, norm.weight, norm.bias, norm.eps, output.dropout.drop(added), narrow.dtype
    )
    return out


def _heads(
    attention: Any, copies: LayerCopies | None, x: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query, key and value, each (rows, heads, tokens, channels)."""
    size = attention.attention_head_size
    if copies is None:
        query, key, value = (
            module(x).unflatten(-1, (-1, size)).transpose(1, 2)
            for module in (attention.query, attention.key, attention.value)
        )
        return query, key, value
    joint = nn.functional.linear(x, copies.joint, copies.joint_bias).view(*x.shape[:2], 3, -1, size)
    return cast(tuple[torch.Tensor, torch.Tensor, torch.Tensor], _Apart.apply(joint))  # type: ignore[no-untyped-call]


class _Apart(torch.autograd.Function):
    """(rows, tokens, 3, heads, channels) as three of (rows, heads, tokens, channels), copied once each way."""

    @staticmethod
    def forward(ctx: Any, joint: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        query, key, value = joint.permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        return query, key, value

    @staticmethod
    def backward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        rows, heads, tokens, channels = query.shape
        joint = query.new_empty(rows, tokens, 3, heads, channels)
        for number, gradient in enumerate((query, key, value)):
            joint[:, :, number].copy_(gradient.transpose(1, 2))
        return joint


def _copies_of(encoder: Any, layers: Any) -> HalfCopies:
    found = getattr(encoder, _COPIES, None)
    if found is None:
        found = HalfCopies(layers)
        setattr(encoder, _COPIES, found)
    return cast(HalfCopies, found)
