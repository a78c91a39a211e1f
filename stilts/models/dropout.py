"""Dropout whose masks derive from (seed, step, example, site, place), on hidden states and on attention.

torch's own dropout draws from a generator, so its masks depend on how a batch was cut. Here a mask's bits are
``hash(key of the row, site, place in the row)``: micro-batches, padding and devices change rounding only.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from stilts.models.blocked_hash import is_faster_in_blocks, kept_in_blocks

# The step and multipliers of ``stilts.data.counter_hash``; a test holds the two to the same bits.
GOLDEN = 0x9E3779B9
_M1, _M2 = 0x7FEB352D, 0x846CA68B
# Places of an attention matrix are numbered as if it had this width, more than any XLM-R encoder has positions. A
# longer one is cut into tiles of it, 8 in a row: 64 heads of 8192 x 8192 places have just as many numbers as 32 bits.
_WIDTH, _TILES, _HEADS = 1024, 8, 64


class DropoutStream:
    """Where the dropout modules of one model find the keys of the rows that are going through it.

    ``keys`` is (rows,) int32, or None outside training; ``shared`` (1,) int32 is the step's own, for what all rows have
    in common.
    """

    def __init__(self) -> None:
        self.keys: torch.Tensor | None = None
        self.shared: torch.Tensor | None = None
        self._places: dict[tuple[str, tuple[int, ...]], torch.Tensor] = {}

    def kept(self, shape: tuple[int, ...], site: int, p: float, device: torch.device) -> torch.Tensor:
        """A mask of ``shape`` (rows first), False with probability ``p``.

        Place numbers are row-major over all but the first axis, the token axis first, so that padding at the end
        moves none of them.
        """
        if self.keys is None:
            raise RuntimeError("a model in training mode needs DropoutStream.keys before its forward pass")
        places = self._numbers("hidden", shape[1:], device)
        return self._hashed(places, site, p)

    def kept_attention(
        self, shape: tuple[int, int, int, int], site: int, p: float, device: torch.device
    ) -> torch.Tensor:
        """A mask of (rows, heads, queries, keys), False with probability ``p``."""
        return self._hashed(self._numbers("attention", shape[1:], device), site, p)

    def kept_shared(self, shape: tuple[int, ...], site: int, p: float, device: torch.device) -> torch.Tensor:
        """A mask of ``shape``, which has no axis for rows: one for all of a step's."""
        if self.shared is None:
            raise RuntimeError("a model in training mode needs DropoutStream.shared before its forward pass")
        return self._hashed(self._numbers("hidden", shape, device), site, p, self.shared)[0]

    def _hashed(self, places: torch.Tensor, site: int, p: float, keys: torch.Tensor | None = None) -> torch.Tensor:
        keys = self.keys if keys is None else keys
        assert keys is not None
        key = mix_(keys + _int32((site + 1) * GOLDEN))
        if is_faster_in_blocks(places):
            return kept_in_blocks(key, places, p)
        bits = mix_(key.view(-1, *(1 for _ in places.shape)) + places)
        return bits >= int(p * 2**32) - 2**31

    def _numbers(self, what: str, shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
        """Place numbers of one row; the largest asked for so far is kept, smaller ones are corners of it."""
        inner = shape[:1] if what == "attention" else shape[1:]
        extent = max(shape[1:]) if what == "attention" else shape[0]
        found = self._places.get((what, inner))
        if found is None or found.device != device or found.shape[-1 if what == "attention" else 0] < extent:
            found = _attention_places(inner[0], extent) if what == "attention" else _hidden_places(extent, inner)
            found = self._places[(what, inner)] = found.to(device)
        return found[:, : shape[1], : shape[2]] if what == "attention" else found[: shape[0]]


def _hidden_places(tokens: int, inner: tuple[int, ...]) -> torch.Tensor:
    number = torch.arange(tokens * math.prod(inner), dtype=torch.int64).view(tokens, *inner)
    return _spread(number)


def _attention_places(heads: int, extent: int) -> torch.Tensor:
    head, place = torch.arange(heads, dtype=torch.int64), torch.arange(extent, dtype=torch.int64)
    within, tile = place % _WIDTH, place // _WIDTH
    number = (head[:, None, None] * _WIDTH + within[:, None]) * _WIDTH + within
    return _spread(number + (tile[:, None] * _TILES + tile) * (_HEADS * _WIDTH**2))


def _spread(number: torch.Tensor) -> torch.Tensor:
    """The numbers times the golden ratio, modulo 2**32, as int32."""
    wrapped = (number * GOLDEN) & 0xFFFFFFFF
    return torch.where(wrapped >= 2**31, wrapped - 2**32, wrapped).to(torch.int32)


class CountedDropout(nn.Module):
    """Dropout at one site of a model: zeroes with probability ``p`` and scales by 1 / (1 - p) in training."""

    def __init__(self, stream: DropoutStream, site: int, p: float) -> None:
        super().__init__()
        self._stream, self.site, self.p = stream, site, p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor thinned in training: (rows, tokens, channels), (rows, channels), (rows, heads, queries, keys)."""
        if not self.training or self.p == 0.0:
            return x
        return thinned(x, self._kept(x), self.p)

    def _kept(self, x: torch.Tensor) -> torch.Tensor:
        rows, *inner = x.shape
        if len(inner) == 3:
            heads, queries, keys = inner
            return self._stream.kept_attention((rows, heads, queries, keys), self.site, self.p, x.device)
        return self._stream.kept((rows, *inner), self.site, self.p, x.device)


def thinned(x: torch.Tensor, kept: torch.Tensor, p: float) -> torch.Tensor:
    """``x`` where ``kept`` says so, divided by 1 - ``p``; 0 elsewhere."""
    out: torch.Tensor = _Thinned.apply(x, ~kept, p)  # type: ignore[no-untyped-call]
    return out


class _Thinned(torch.autograd.Function):
    """One new tensor each way: composed of torch's own operations it would be two or three."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, dropped: torch.Tensor, p: float) -> torch.Tensor:
        ctx.save_for_backward(dropped)
        ctx.p = p
        return (x / (1.0 - p)).masked_fill_(dropped, 0.0)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (dropped,) = ctx.saved_tensors
        return (gradient / (1.0 - ctx.p)).masked_fill_(dropped, 0.0), None, None


class SharedDropout(CountedDropout):
    """Dropout of what all rows have in common, embedded distances say: one mask for all micro-batches of a step."""

    def _kept(self, x: torch.Tensor) -> torch.Tensor:
        return self._stream.kept_shared(tuple(x.shape), self.site, self.p, x.device)


def count_attention(module: nn.Module, stream: DropoutStream, site: int) -> None:
    """Tells an attention module where ``counted_attention`` finds its keys, and which site it is."""
    module.stilts_stream, module.stilts_site = (lambda: stream), site  # type: ignore[assignment]


def install(model: nn.Module, stream: DropoutStream, *, dropout: float, attention_dropout: float) -> int:
    """Replaces every dropout of an encoder by counted ones, numbered in module order; returns their number.

    Attention modules keep their ``nn.Dropout`` as the holder of ``p``; the attention function reads it.
    """
    site = 0
    for parent in model.modules():
        is_attention = hasattr(parent, "query") and hasattr(parent, "key")
        for name, child in list(parent.named_children()):
            if not isinstance(child, nn.Dropout):
                continue
            if is_attention:
                child.p = attention_dropout
                count_attention(parent, stream, site)
            else:
                setattr(parent, name, CountedDropout(stream, site, dropout))
            site += 1
    return site


def _int32(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - 2**32 if value >= 2**31 else value


def mix_(x: torch.Tensor) -> torch.Tensor:
    """The 32-bit mixer on an int32 tensor, in place: the same bits on every device."""
    x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF))
    x.mul_(_M1)
    x.bitwise_xor_((x >> 15).bitwise_and_(0x1FFFF))
    x.mul_(_M2 - 2**32)
    return x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF))
