"""Counted dropout: the right rate, the right scale, and attention that is torch's own where nothing is dropped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stilts.data.counter_hash import keys
from stilts.models.attention import counted_attention
from stilts.models.dropout import CountedDropout, DropoutStream, install
from stilts.models.model import fresh_model
from tests.training.tiny import TINY, run_device

pytestmark = pytest.mark.on_device

ROWS, HEADS, TOKENS, WIDTH = 16, 4, 24, 8


def stream(rows: int = ROWS, step: int = 0) -> DropoutStream:
    found = DropoutStream()
    found.keys = torch.from_numpy(keys(1, step, np.arange(rows)).view(np.int32)).to(run_device())
    return found


def queries() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(ROWS, HEADS, TOKENS, WIDTH, generator=generator).to(run_device()) for _ in range(3))


def attention_mask() -> torch.Tensor:
    lengths = torch.arange(ROWS) % TOKENS + 1
    return (torch.arange(TOKENS)[None, :] < lengths[:, None])[:, None, None, :].to(run_device())


def module(step: int = 0, site: int = 3) -> Any:
    there = stream(step=step)
    return SimpleNamespace(stilts_stream=lambda: there, stilts_site=site)


def test_without_dropout_attention_is_torchs_own() -> None:
    query, key, value = queries()
    mask = attention_mask()
    out, _ = counted_attention(module(), query, key, value, mask)
    expected = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(out, expected.transpose(1, 2))


def test_hardly_any_dropout_is_hardly_any_difference() -> None:
    query, key, value = queries()
    mask = attention_mask()
    out, _ = counted_attention(module(), query, key, value, mask, dropout=1e-9)
    expected = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(out, expected.transpose(1, 2))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_attention_keeps_the_right_share_and_its_mean(p: float) -> None:
    # Values that are one-hot over keys make the output the thinned probabilities themselves.
    query, key, _ = queries()
    value = torch.eye(TOKENS, device=run_device()).expand(ROWS, HEADS, TOKENS, TOKENS)
    dense, _ = counted_attention(module(), query, key, value, None)
    thinned, _ = counted_attention(module(), query, key, value, None, dropout=p)
    kept = thinned != 0
    assert float(kept.float().mean()) == pytest.approx(1 - p, abs=0.01)
    torch.testing.assert_close(thinned[kept], (dense / (1 - p))[kept], atol=1e-6, rtol=1e-5)
    assert float(thinned.mean()) == pytest.approx(float(dense.mean()), rel=0.1)


def test_attention_masks_differ_by_head_site_and_step_and_repeat() -> None:
    query, key, value = queries()
    out = {
        name: counted_attention(subject, query, key, value, None, dropout=0.5)[0]
        for name, subject in {"a": module(), "again": module(), "site": module(site=4), "step": module(1)}.items()
    }
    assert torch.equal(out["a"], out["again"])
    assert not torch.equal(out["a"], out["site"]) and not torch.equal(out["a"], out["step"])
    kept = stream().kept((ROWS, HEADS, TOKENS, TOKENS), 0, 0.5, run_device())
    assert all(not torch.equal(kept[:, 0], kept[:, head]) for head in range(1, HEADS))
    assert not torch.equal(kept[0], kept[1])


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_hidden_states_are_thinned_at_the_rate_and_scaled(p: float) -> None:
    dropout = CountedDropout(stream(), site=2, p=p)
    x = torch.ones(ROWS, TOKENS, 128, device=run_device())
    thinned = dropout(x)
    kept = thinned != 0
    assert float(kept.float().mean()) == pytest.approx(1 - p, abs=0.01)
    torch.testing.assert_close(thinned[kept], torch.full_like(thinned[kept], 1 / (1 - p)))
    # No token, channel or row is favoured.
    for axes in ((0, 1), (0, 2), (1, 2)):
        assert (kept.float().mean(axes) - (1 - p)).abs().max() < 0.12


def test_masks_do_not_depend_on_padding_or_on_who_else_is_in_the_batch() -> None:
    there = stream()
    dropout = CountedDropout(there, site=2, p=0.3)
    whole = dropout(torch.ones(ROWS, TOKENS, 32, device=run_device()))
    attention = there.kept((ROWS, HEADS, TOKENS, TOKENS), 1, 0.3, run_device())
    assert there.keys is not None
    there.keys = there.keys[4:6]
    assert torch.equal(dropout(torch.ones(2, 10, 32, device=run_device())), whole[4:6, :10])
    assert torch.equal(dropout(torch.ones(2, TOKENS + 9, 32, device=run_device()))[:, :TOKENS], whole[4:6])
    few = there.kept((2, HEADS, 10, 10), 1, 0.3, run_device())
    assert torch.equal(few, attention[4:6, :, :10, :10])


def test_no_two_places_of_a_long_attention_share_a_number() -> None:
    long, heads = 2050, 2  # beyond two tiles of 1024
    there = stream(1)
    numbers = there._numbers("attention", (heads, long, long), run_device()).cpu()
    assert len(numbers.unique()) == heads * long * long
    short = (torch.arange(heads)[:, None, None] * 1024 + torch.arange(1024)[:, None]) * 1024 + torch.arange(1024)
    wrapped = (short * 0x9E3779B9) & 0xFFFFFFFF
    assert torch.equal(numbers[:, :1024, :1024].long() & 0xFFFFFFFF, wrapped), "masks of up to 1024 tokens are promised"


def test_evaluation_drops_nothing_and_needs_no_keys() -> None:
    dropout = CountedDropout(DropoutStream(), site=0, p=0.5)
    x = torch.randn(2, 3, 4)
    assert dropout.eval()(x) is x
    with pytest.raises(RuntimeError, match="keys"):
        dropout.train()(x)


def test_every_dropout_of_an_encoder_is_counted() -> None:
    model = fresh_model({**TINY, "vocab_size": 50}, seed=0, dropout=0.2, attention_dropout=0.3)
    counted = [child for child in model.encoder.modules() if isinstance(child, CountedDropout)]
    plain = [child for child in model.encoder.modules() if isinstance(child, nn.Dropout)]
    assert len({child.site for child in counted}) == len(counted) == 1 + 2 * 2 and {c.p for c in counted} == {0.2}
    assert len(plain) == 2 and {child.p for child in plain} == {0.3}, "held by the attention of each layer"
    assert install(model.encoder, model.stream, dropout=0.1, attention_dropout=0.1) == 2, "nothing is left to replace"


def test_a_model_in_training_depends_on_its_keys_only() -> None:
    model = fresh_model({**TINY, "vocab_size": 50}, seed=0, dropout=0.2, attention_dropout=0.3).train()
    model.to(run_device())
    ids = torch.full((ROWS, 7), 9, device=run_device())
    mask = torch.ones(ROWS, 7, dtype=torch.bool, device=run_device())
    outs = []
    for step, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        model.stream.keys = stream(step=step).keys
        outs.append(model.hidden(ids, mask))
    assert torch.equal(outs[0], outs[1]) and not torch.equal(outs[0], outs[2])
