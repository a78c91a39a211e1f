"""Kernels and bytes of what runs on the pretend device: what a GPU would launch, read and write.

An operation is a kernel, views and new memory are none; lists of tensors are cut as torch cuts them. On CUDA some
operations are several kernels (the backward of an embedding sorts first): those count once too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch.utils._pytree import tree_iter, tree_map_only
from torch.utils.flop_counter import flop_registry

from tests.pretend_gpu.device import Call, GpuTensor, watched

# How torch cuts lists of tensors (aten/src/ATen/native/cuda/MultiTensorApply.cuh): numbers to a chunk, chunks to a
# launch, and tensors to a launch by how many lists there are.
_CHUNK, _CHUNKS = 65_536, 320
_TENSORS = {1: 110, 2: 64, 3: 48, 4: 36, 5: 30}
_NOTHING = frozenset(
    "alias detach empty empty_like empty_strided lift_fresh new_empty new_empty_strided _unsafe_view".split()
)


class Part(StrEnum):
    """What a kernel belongs to: ``MASKS`` are whole numbers and truth values, ``FUSED`` what is compiled into one."""

    PRODUCTS = "products"
    MASKS = "masks and whole numbers"
    FUSED = "compiled sites"
    CASTS = "casts"
    ELEMENTWISE = "other elementwise"
    OPTIMIZER = "optimizer and clipping"


@dataclass(slots=True)
class Tally:
    """Kernels and the bytes that they read and write."""

    kernels: int = 0
    bytes: int = 0


@dataclass(slots=True)
class KernelCount:
    """What was counted: a tally of each part, and of each operation by name; ``flops`` are those of products."""

    parts: dict[Part, Tally] = field(default_factory=lambda: {part: Tally() for part in Part})
    operations: dict[str, Tally] = field(default_factory=dict)
    flops: int = 0
    is_paused: bool = False

    @property
    def kernels(self) -> int:
        """All kernels."""
        return sum(tally.kernels for tally in self.parts.values())

    @property
    def elementwise_bytes(self) -> int:
        """The traffic of all that is no product."""
        return sum(tally.bytes for part, tally in self.parts.items() if part is not Part.PRODUCTS)

    def add(self, part: Part, name: str, kernels: int, size: int) -> None:
        """Adds to a part and to an operation."""
        for tally in (self.parts[part], self.operations.setdefault(name, Tally())):
            tally.kernels += kernels
            tally.bytes += size

    def reset(self) -> None:
        """Begins anew."""
        self.parts, self.operations, self.flops = {part: Tally() for part in Part}, {}, 0

    def watch(self, call: Call) -> None:
        """Counts one operation."""
        if self.is_paused or call.name in _NOTHING or _is_view(call.op):
            return
        inputs, outputs = _tensors((call.args, call.kwargs)), _tensors(call.out)
        flops = flop_registry.get(call.op.overloadpacket)
        if flops is not None:
            self.flops += int(flops(*call.args, **call.kwargs, out_val=call.out))
        self.add(_part(call, inputs, outputs), call.name, _launches(call), _traffic(call, inputs, outputs))


@contextmanager
def counted_kernels(fused: Sequence[tuple[ModuleType | type, str]] = ()) -> Iterator[KernelCount]:
    """Counts for a while. ``fused`` names functions that the program compiles: each is one kernel, and one backward.

    Attention without a mask is torch's flash kernel, as on CUDA; with one it is what torch does without fused kernels.
    """
    count = KernelCount()
    patches = [patch.object(owner, name, _one_kernel(getattr(owner, name), count)) for owner, name in fused]
    functional = torch.nn.functional
    patches.append(patch.object(functional, "scaled_dot_product_attention", _attention))
    with watched(count.watch):
        for each in patches:
            each.start()
        try:
            yield count
        finally:
            for each in patches:
                each.stop()


_plain_attention = torch.nn.functional.scaled_dot_product_attention


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **more: Any,
) -> torch.Tensor:
    if attn_mask is not None or query.dtype is torch.float32:
        return _plain_attention(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **more)
    flash = torch.ops.aten._scaled_dot_product_flash_attention
    out: torch.Tensor = flash(query, key, value, dropout_p, is_causal, False, scale=scale)[0]
    return out


def _one_kernel(function: Callable[..., Any], count: KernelCount) -> Callable[..., Any]:
    """The function as one kernel that reads its tensors and writes its results.

    Backward it reads them again, which is more than a kernel needs that saves or recomputes less.
    """

    class OneKernel(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            ctx.set_materialize_grads(False)
            with _paused(count), torch.enable_grad():
                ctx.inside = tree_map_only(
                    torch.Tensor, lambda each: each.detach().requires_grad_(each.requires_grad), inputs
                )
                ctx.result = function(*ctx.inside)
            count.add(Part.FUSED, function.__name__, 1, _bytes(_tensors((inputs, ctx.result))))
            return tree_map_only(torch.Tensor, lambda each: each.detach(), ctx.result)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            results = ctx.result if isinstance(ctx.result, tuple) else (ctx.result,)
            there = [(out, gradient) for out, gradient in zip(results, gradients, strict=True) if gradient is not None]
            wanted = [each for each in ctx.inside if isinstance(each, torch.Tensor) and each.requires_grad]
            with _paused(count):
                found = iter(
                    torch.autograd.grad([out for out, _ in there], wanted, [gradient for _, gradient in there])
                )
            size = _bytes(_tensors((gradients, ctx.inside))) + _bytes(wanted)
            count.add(Part.FUSED, f"{function.__name__} backward", 1, size)
            return tuple(
                next(found) if isinstance(each, torch.Tensor) and each.requires_grad else None for each in ctx.inside
            )

    def called(*inputs: Any) -> Any:
        # What is called within a compiled function is part of it.
        return function(*inputs) if count.is_paused else OneKernel.apply(*inputs)

    return called


@contextmanager
def _paused(count: KernelCount) -> Iterator[None]:
    before, count.is_paused = count.is_paused, True
    try:
        yield
    finally:
        count.is_paused = before


def _part(call: Call, inputs: list[GpuTensor], outputs: list[GpuTensor]) -> Part:
    if call.op.overloadpacket in flop_registry:
        return Part.PRODUCTS
    if call.name.startswith(("_foreach_", "_fused_")):
        return Part.OPTIMIZER
    floats = [each for each in outputs or inputs if each.is_floating_point()]
    if not floats:
        return Part.MASKS
    return Part.CASTS if call.name == "_to_copy" else Part.ELEMENTWISE


def _launches(call: Call) -> int:
    """One, but for lists of tensors, which go in as many as their chunks and their number take."""
    lists = [each for each in call.args if isinstance(each, list) and each and isinstance(each[0], torch.Tensor)]
    if not call.name.startswith(("_foreach_", "_fused_")) or not lists:
        return 1
    first = lists[0]
    chunks = sum(math.ceil(each.numel() / _CHUNK) for each in first)
    return max(math.ceil(len(first) / _TENSORS.get(len(lists), 30)), math.ceil(chunks / _CHUNKS))


def _traffic(call: Call, inputs: list[GpuTensor], outputs: list[GpuTensor]) -> int:
    """Bytes read and written; what is overwritten unseen is not read, what is updated is both."""
    read = inputs[1:] if call.name in ("copy_", "fill_", "zero_", "normal_") else inputs
    if call.name == "_foreach_copy_":
        read = _tensors(call.args[1])
    arguments = zip(call.op._schema.arguments, call.args, strict=False)
    changed = [given for argument, given in arguments if argument.alias_info and argument.alias_info.is_write]
    if call.name == "_fused_adamw_" and call.kwargs.get("grad_scale") is None:
        changed.pop(1)  # gradients are written where they are scaled only
    return _bytes(read) + _bytes(_tensors(changed) if changed else outputs)


def _bytes(tensors: Sequence[torch.Tensor]) -> int:
    """The bytes of some tensors; numbers that an expanded tensor repeats are there once."""
    sizes = (
        math.prod(size for size, stride in zip(each.shape, each.stride(), strict=True) if stride) * each.element_size()
        for each in tensors
    )
    return sum(sizes)


def _tensors(tree: Any) -> list[GpuTensor]:
    return [each for each in tree_iter(tree) if isinstance(each, GpuTensor)]


def _is_view(op: Any) -> bool:
    return any(each.alias_info and not each.alias_info.is_write for each in op._schema.returns)
