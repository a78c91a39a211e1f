"""The hash in blocks gives the bits of the hash at once, and is taken where rows are long and cores few."""

from __future__ import annotations

import pytest
import torch

from stilts.models import blocked_hash
from stilts.models.dropout import CountedDropout, DropoutStream, thinned


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.999])
@pytest.mark.parametrize("shape", [(3, 130, 150), (2, 3, 160, 160), (2, 100_000)])
def test_the_bits_are_those_of_all_at_once(shape: tuple[int, ...], p: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    stream = DropoutStream()
    stream.keys = torch.randint(-(2**31), 2**31 - 1, shape[:1], dtype=torch.int32)
    blocks: list[int] = []
    real = blocked_hash.kept_in_blocks
    monkeypatch.setattr("stilts.models.dropout.kept_in_blocks", lambda *given: blocks.append(1) or real(*given))
    found = stream.kept(shape, 5, p, torch.device("cpu"))
    monkeypatch.setattr("stilts.models.dropout.is_faster_in_blocks", lambda places: False)
    assert torch.equal(found, stream.kept(shape, 5, p, torch.device("cpu"))) and blocks == [1]
    assert found.float().mean().item() == pytest.approx(1 - p, abs=0.01)


def test_short_rows_and_many_threads_are_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    long, short = torch.zeros(200, 192, dtype=torch.int32), torch.zeros(40, 192, dtype=torch.int32)
    assert blocked_hash.is_faster_in_blocks(long) and not blocked_hash.is_faster_in_blocks(short)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 16)
    assert not blocked_hash.is_faster_in_blocks(long)


def test_thinning_has_the_numbers_and_gradients_of_torchs_own_operations() -> None:
    x = torch.randn(4, 6, 8, requires_grad=True)
    kept, weights = torch.rand(4, 6, 8) > 0.3, torch.randn(4, 6, 8)
    plain = torch.where(kept, x / 0.7, torch.zeros(()))
    (wanted,) = torch.autograd.grad((plain * weights).sum(), x)
    ours = thinned(x, kept, 0.3)
    (found,) = torch.autograd.grad((ours * weights).sum(), x)
    assert torch.equal(plain, ours) and torch.equal(wanted, found)


def test_a_module_thins_rows_long_enough_for_blocks() -> None:
    stream = DropoutStream()
    stream.keys = torch.arange(2, dtype=torch.int32)
    module = CountedDropout(stream, 0, 0.25).train()
    out = module(torch.ones(2, 200, 192))
    assert (out == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(out[:, :50], module(torch.ones(2, 50, 192))), "padding moves no place"
