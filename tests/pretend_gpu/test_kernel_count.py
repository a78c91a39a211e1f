"""What a step of XLM-R Large launches and moves on a GPU does not grow."""

from __future__ import annotations

import pytest
import torch

from benchmarks.kernel_count import Part, counted_kernels
from benchmarks.step_count import LARGE, counted_step, forecast

pytestmark = pytest.mark.on_device

# 32 rows of 128 tokens in bf16. Lower them with what brings the counts down.
MOST_KERNELS, MOST_GB = 1_060, 44.0


def test_a_large_step_launches_and_moves_no_more_than_it_did() -> None:
    count = counted_step(LARGE)
    assert count.kernels <= MOST_KERNELS and count.elementwise_bytes <= MOST_GB * 1e9
    # 6 x weights of the layers x tokens, and attention: the products are all there.
    assert 7.4e12 < count.flops < 7.8e12
    card_ms, launch_ms, used = forecast(count, "H200")
    assert 0 < used <= 630 / 989 and used <= count.flops / 989e12 / max(card_ms, launch_ms) * 1e3 * 1.001


def test_kernels_and_bytes_of_what_is_known(device: torch.device) -> None:
    with counted_kernels() as count:
        left, right = torch.ones(4, 8, device=device), torch.ones(8, 2, device=device)
        count.reset()
        product = left @ right
        product.view(2, 4).add_(product.view(2, 4))
        left.to(torch.bfloat16)
        _ = left > 1
    found = {part: (tally.kernels, tally.bytes) for part, tally in count.parts.items() if tally.kernels}
    assert found == {
        Part.PRODUCTS: (1, 4 * (4 * 8 + 8 * 2 + 4 * 2)),
        Part.ELEMENTWISE: (1, 4 * 8 * 3),
        Part.CASTS: (1, 32 * 4 + 32 * 2),
        Part.MASKS: (1, 32 * 4 + 32),
    }
    assert count.flops == 2 * 4 * 8 * 2


def test_lists_that_are_copied_are_read_once_and_written_once(device: torch.device) -> None:
    wide, half = ([torch.zeros(6, device=device, dtype=dtype)] for dtype in (torch.float32, torch.bfloat16))
    with counted_kernels() as count:
        torch._foreach_copy_(half, wide)
    assert (count.kernels, count.elementwise_bytes) == (1, 6 * 4 + 6 * 2)


def test_a_compiled_function_is_one_kernel_each_way(device: torch.device) -> None:
    class Sites:
        @staticmethod
        def thinned(x: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
            return torch.where(keys > 0, x / 0.9, torch.zeros_like(x))

    x = torch.ones(4, 8, device=device, requires_grad=True)
    keys = torch.ones(4, 1, dtype=torch.int32, device=device)
    with counted_kernels([(Sites, "thinned")]) as count:
        out = Sites.thinned(x, keys)
        assert count.parts[Part.FUSED].kernels == 1 and count.parts[Part.FUSED].bytes == 4 * (32 + 4 + 32)
        out.backward(torch.ones_like(out))
    assert count.parts[Part.FUSED].kernels == 2
    assert "where" not in count.operations and count.operations["thinned backward"].kernels == 1
    assert x.grad is not None and torch.allclose(x.grad.cpu(), torch.full((4, 8), 1 / 0.9))
