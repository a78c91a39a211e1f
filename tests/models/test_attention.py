"""Which attention is taken changes rounding only, and no mask is the same as a mask that hides nothing."""

from __future__ import annotations

import pytest
import torch

from stilts.models import attention
from stilts.models.attention import counted_attention, forward_only
from stilts.models.model import fresh_model
from tests.training.tiny import TINY


def tensors(dtype: torch.dtype, tokens: int, *, trained: bool) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, 3, tokens, 8, dtype=dtype, requires_grad=trained) for _ in range(3)]


@pytest.fixture
def fused_calls(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor | None]:
    calls: list[torch.Tensor | None] = []
    fused = torch.nn.functional.scaled_dot_product_attention

    def counted(*given: torch.Tensor, attn_mask: torch.Tensor | None, scale: float) -> torch.Tensor:
        calls.append(attn_mask)
        return fused(*given, attn_mask=attn_mask, scale=scale)

    monkeypatch.setattr(attention.nn.functional, "scaled_dot_product_attention", counted)
    return calls


@pytest.mark.parametrize(
    ("dtype", "tokens", "trained", "is_fused"),
    [
        (torch.float32, 16, True, True),
        (torch.float32, 16, False, True),
        (torch.bfloat16, 16, True, False),
        (torch.bfloat16, 128, True, False),
        (torch.bfloat16, 16, False, False),
        (torch.bfloat16, 128, False, True),
    ],
)
def test_the_path_measured_to_be_fastest_is_taken_and_changes_rounding_only(
    dtype: torch.dtype, tokens: int, trained: bool, is_fused: bool, fused_calls: list[torch.Tensor | None]
) -> None:
    given = tensors(dtype, tokens, trained=trained)
    mask = torch.ones(2, 1, 1, tokens, dtype=torch.bool)
    mask[1, ..., -5:] = False
    out, _ = counted_attention(torch.nn.Identity(), *given, mask)
    assert bool(fused_calls) is is_fused
    exact = torch.nn.functional.scaled_dot_product_attention(
        *(each.double() for each in given), attn_mask=mask, scale=8**-0.5
    )
    tolerance = 1e-5 if dtype is torch.float32 else 0.03
    torch.testing.assert_close(out.double(), exact.transpose(1, 2), atol=tolerance, rtol=0)


def test_no_mask_is_a_mask_that_hides_nothing_and_reaches_the_kernel(fused_calls: list[torch.Tensor | None]) -> None:
    model = fresh_model({**TINY, "vocab_size": 50}, seed=0).eval()
    ids = torch.arange(3 * 12).view(3, 12) % 50
    with forward_only():
        bare, masked = model.hidden(ids, None), model.hidden(ids, torch.ones_like(ids, dtype=torch.bool))
    torch.testing.assert_close(bare, masked, atol=1e-5, rtol=0)
    layers = len(fused_calls) // 2
    assert all(mask is None for mask in fused_calls[:layers]) and all(mask is not None for mask in fused_calls[layers:])


def test_the_memory_efficient_kernel_is_for_evaluation_alone() -> None:
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    try:
        with forward_only():
            assert torch.backends.cuda.mem_efficient_sdp_enabled() and not torch.is_grad_enabled()
        assert not torch.backends.cuda.mem_efficient_sdp_enabled()
    finally:
        torch.backends.cuda.enable_mem_efficient_sdp(True)
