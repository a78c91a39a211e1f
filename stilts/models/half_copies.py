"""Copies of a layer's weights in bf16, made once a step for all of an encoder, whose gradients become the weights' own.

Autocast casts each weight by itself in each pass and each gradient back, four kernels a matrix; here all are cast
together. Query, key and value lie in one copy, so that they are one product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from stilts.models.shards import is_shard


class LayerCopies(NamedTuple):
    """The bf16 weights and biases of one layer of BERT's shape; ``joint`` are query, key and value."""

    joint: torch.Tensor
    joint_bias: torch.Tensor
    out: torch.Tensor
    out_bias: torch.Tensor
    inner: torch.Tensor
    inner_bias: torch.Tensor
    outer: torch.Tensor
    outer_bias: torch.Tensor


class HalfCopies:
    """The copies of some layers. They follow the weights: what changed these in place is seen by torch's own count."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self._linears = [
            linear
            for layer in layers
            for linear in (
                *(getattr(layer.attention.self, name) for name in ("query", "key", "value")),
                layer.attention.output.dense,
                layer.intermediate.dense,
                layer.output.dense,
            )
        ]
        self._copies: list[torch.Tensor] = []
        self._seen: tuple[int, ...] = ()

    def taken(self) -> list[LayerCopies] | None:
        """The copies of each layer, as they stand in the graph of this pass.

        None where products are not to be in bf16, or where a layer is no plain one: an adapter's, or a rank's part.
        """
        weights = [linear.weight for linear in self._linears]
        device = weights[0].device
        if not _is_in_bf16(device) or not all(map(_is_plain, self._linears)):
            return None
        originals = [*weights, *(linear.bias for linear in self._linears)]
        if not self._copies or self._copies[0].device != device:
            self._allocate(originals)
        self._follow(originals)
        copies: Sequence[torch.Tensor] = _Copied.apply(self, *originals)  # type: ignore[no-untyped-call]
        return [LayerCopies(*copies[8 * layer : 8 * layer + 8]) for layer in range(len(self._linears) // 6)]

    def _allocate(self, originals: list[torch.Tensor]) -> None:
        """One copy for what is one product. ``_copies`` go by layer, as the fields of ``LayerCopies`` do."""
        count = len(self._linears)
        with torch.inference_mode(False):
            self._copies = []
            for start in range(0, count, 6):
                for first, last in ((0, 3), (3, 4), (4, 5), (5, 6)):
                    for of in (0, count):
                        like = originals[of + start + first]
                        rows = sum(len(each) for each in originals[of + start + first : of + start + last])
                        self._copies.append(like.new_empty((rows, *like.shape[1:]), dtype=torch.bfloat16))
        self._seen = ()

    def _follow(self, originals: list[torch.Tensor]) -> None:
        now = tuple(each._version for each in originals)
        if now != self._seen:
            with torch.inference_mode(False), torch.no_grad():
                torch._foreach_copy_(self.parts(self._copies), originals)
            self._seen = now

    def parts(self, copies: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """What belongs to each weight, then to each bias, in the order of the linear layers."""
        found: list[list[torch.Tensor]] = [[], []]
        for start in range(0, len(copies), 8):
            for number, copy in enumerate(copies[start : start + 8]):
                found[number % 2] += copy.chunk(3) if number < 2 else [copy]
        return found[0] + found[1]

    @property
    def aliases(self) -> tuple[torch.Tensor, ...]:
        """The copies under other names, for one pass's graph each."""
        return tuple(copy.detach() for copy in self._copies)


class _Copied(torch.autograd.Function):
    """From fp32 weights to their copies, which lie there already; backward all gradients are cast together."""

    @staticmethod
    def forward(ctx: Any, copies: HalfCopies, *originals: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.copies, ctx.shapes = copies, [each.shape for each in originals]
        ctx.set_materialize_grads(False)
        return copies.aliases

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        there = [each for each in gradients if each is not None]
        if not there:
            return (None,) * (1 + len(ctx.shapes))
        # A layer that nothing came through has none, and is told apart by its first copy.
        blank = there[0].new_empty(0)
        parts = ctx.copies.parts([blank.expand(3, 0) if each is None else each for each in gradients])
        wanted = [
            number
            for number, (part, shape) in enumerate(zip(parts, ctx.shapes, strict=True))
            if part.shape == shape and ctx.needs_input_grad[1 + number]
        ]
        found: list[torch.Tensor | None] = [None] * len(parts)
        wide = [torch.empty(ctx.shapes[number], dtype=torch.float32, device=blank.device) for number in wanted]
        torch._foreach_copy_(wide, [parts[number] for number in wanted])
        for number, gradient in zip(wanted, wide, strict=True):
            found[number] = gradient
        wide.clear()
        return (None, *found)


def _is_in_bf16(device: torch.device) -> bool:
    return torch.is_autocast_enabled(device.type) and torch.get_autocast_dtype(device.type) is torch.bfloat16


def _is_plain(linear: nn.Module) -> bool:
    return type(linear) is nn.Linear and not is_shard(linear.weight) and linear.bias is not None
