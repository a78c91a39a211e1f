"""Waits of the CPU for the device, counted by line of the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from tests.pretend_gpu.device import Call, GpuTensor, line, watched

# The result's value, or its size, has to be known on the CPU before it can go on.
_WAITING = frozenset(
    "_local_scalar_dense equal is_nonzero masked_select nonzero _unique2 unique_consecutive unique_dim".split()
)


@contextmanager
def counted_syncs() -> Iterator[Counter[str]]:
    """How often each line waited for the device, as "operation at file:line"; grows while the context lasts."""
    found: Counter[str] = Counter()

    def watch(call: Call) -> None:
        if waits(call):
            found[f"{call.name} at {line()}"] += 1

    with watched(watch):
        yield found


def waits(call: Call) -> bool:
    """Whether the CPU stands still in an operation until the device has come that far."""
    if call.name in _WAITING:
        return True
    if call.name == "repeat_interleave" and "output_size" not in call.kwargs:
        return True
    if call.name in ("index", "index_put", "index_put_", "_index_put_impl_"):
        return any(_is_mask(each) for each in call.args[1])
    if call.name == "copy_":
        return not isinstance(call.args[0], GpuTensor) and isinstance(call.args[1], GpuTensor)
    return call.name == "_to_copy" and isinstance(call.args[0], GpuTensor) and not isinstance(call.out, GpuTensor)


def _is_mask(index: Any) -> bool:
    return isinstance(index, torch.Tensor) and index.dtype in (torch.bool, torch.uint8)
