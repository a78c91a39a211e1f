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
from stilts.models.compiled_sites import SITES
from stilts.models.sites import Thinning, kept, mix_

# The step of ``stilts.data.counter_hash``; a test holds the two to the same bits.
GOLDEN = 0x9E3779B9
# Places of an attention matrix are numbered as if it had this width, more than any XLM-R encoder has positions. A
# longer one is cut into tiles of it, 8 in a row: 64 heads of 8192 x 8192 places have just as many numbers as 32 bits.
_WIDTH, _TILES, _HEADS = 1024, 8, 64
# Whole numbers as wide as a float: -1 has all bits.
_NUMBERS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float64: torch.int64}
# The keys of so many sites are made together: a kernel for each step of the hash, and not for each site too.
_SITES = 128


class DropoutStream:
    """Where the dropout modules of one model find the keys of the rows that are going through it.

    ``keys`` is (rows,) int32, or None outside training; ``shared`` (1,) int32 is the step's own, for what all rows have
    in common.
    """

    def __init__(self) -> None:
        self._keys: torch.Tensor | None = None
        self.shared: torch.Tensor | None = None
        self._places: dict[tuple[str, tuple[int, ...]], torch.Tensor] = {}
        self._site_keys: dict[int, torch.Tensor] = {}
        self._salts: dict[tuple[int, torch.device], torch.Tensor] = {}
        self._lines: dict[tuple[float, torch.device], tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def keys(self) -> torch.Tensor | None:
        """(rows,) int32."""
        return self._keys

    @keys.setter
    def keys(self, keys: torch.Tensor | None) -> None:
        self._keys, self._site_keys = keys, {}

    def thinned(self, x: torch.Tensor, site: int, p: float) -> torch.Tensor:
        """``x`` (rows first) with places zeroed with probability ``p``, the others divided by 1 - ``p``.

        Place numbers are row-major over all but the first axis, the token axis first, so that padding at the end
        moves none of them; of four axes the last two are an attention's queries and keys.
        """
        if x.device.type == "cpu":
            return thinned(x, self.kept(x.shape, site, p, x.device), p)
        out: torch.Tensor = SITES("thinned", x.device)(x, self.drop(x.shape, site, p, x.device))
        return out

    def thinned_alike(self, x: torch.Tensor, site: int, p: float) -> torch.Tensor:
        """``x`` (1, ...), which all of a step's rows have in common, thinned by the step's own key."""
        drop = self._shared_drop(x.shape, site, p, x.device)
        if x.device.type == "cpu":
            return thinned(x, _kept(drop, p), p)
        out: torch.Tensor = SITES("thinned", x.device)(x, drop)
        return out

    def kept(self, shape: tuple[int, ...], site: int, p: float, device: torch.device) -> torch.Tensor:
        """The mask of a site, of ``shape`` (rows first): False with probability ``p``."""
        return _kept(self.drop(shape, site, p, device), p)

    def drop(self, shape: tuple[int, ...], site: int, p: float, device: torch.device) -> Thinning:
        """What decides the mask of a site, of ``shape`` (rows first)."""
        what = "attention" if len(shape) == 4 else "hidden"
        return Thinning(self._keys_of(site), self._numbers(what, shape[1:], device), *self._line(p, device))

    def _shared_drop(self, shape: tuple[int, ...], site: int, p: float, device: torch.device) -> Thinning:
        if self.shared is None:
            raise RuntimeError("a model in training mode needs DropoutStream.shared before its forward pass")
        key = mix_(self.shared + _int32((site + 1) * GOLDEN))
        return Thinning(key, self._numbers("hidden", shape[1:], device), *self._line(p, device))

    def _keys_of(self, site: int) -> torch.Tensor:
        if self._keys is None:
            raise RuntimeError("a model in training mode needs DropoutStream.keys before its forward pass")
        block = site // _SITES
        if block not in self._site_keys:
            self._site_keys[block] = mix_(self._keys + self._salts_of(block, self._keys.device))
        return self._site_keys[block][site % _SITES]

    def _salts_of(self, block: int, device: torch.device) -> torch.Tensor:
        """(sites of the block, 1) what tells their keys apart; on its device once, so that no batch waits for it."""
        if (block, device) not in self._salts:
            numbers = [_int32((block * _SITES + place + 1) * GOLDEN) for place in range(_SITES)]
            self._salts[(block, device)] = torch.tensor(numbers, dtype=torch.int32, device=device).view(-1, 1)
        return self._salts[(block, device)]

    def _line(self, p: float, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        if (p, device) not in self._lines:
            line = torch.tensor(int(p * 2**32) - 2**31, dtype=torch.int32, device=device)
            self._lines[(p, device)] = line, torch.tensor(1.0 - p, device=device)
        return self._lines[(p, device)]

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
        return self._thinned(x)

    def drop(self, x: torch.Tensor) -> Thinning | None:
        """What decides the mask of a tensor that comes by; None outside training, and where nothing is dropped."""
        return self._stream.drop(x.shape, self.site, self.p, x.device) if self.training and self.p > 0.0 else None

    def _thinned(self, x: torch.Tensor) -> torch.Tensor:
        return self._stream.thinned(x, self.site, self.p)


def _kept(drop: Thinning, p: float) -> torch.Tensor:
    return kept_in_blocks(drop.keys, drop.numbers, p) if is_faster_in_blocks(drop.numbers) else kept(drop)


def thinned(x: torch.Tensor, kept: torch.Tensor, p: float) -> torch.Tensor:
    """``x`` where ``kept`` says so, divided by 1 - ``p``; 0 elsewhere."""
    out: torch.Tensor = _Thinned.apply(x, kept, p)  # type: ignore[no-untyped-call]
    return out


class _Thinned(torch.autograd.Function):
    """One new tensor each way: composed of torch's own operations it would be two or three."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, kept: torch.Tensor, p: float) -> torch.Tensor:
        ctx.save_for_backward(kept)
        ctx.p = p
        return _cleared(x / (1.0 - p), kept)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return _cleared(gradient / (1.0 - ctx.p), kept), None, None


def _cleared(x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """``x`` with 0 where it is not kept, in place.

    Bits are cleared by whole numbers, which CPUs do many at once: at 16 x 4 x 256 x 256 places 3.7 ms instead of 7.2
    by ``masked_fill_`` (fp32), 1.2 instead of 5.4 (bf16).
    """
    numbers = _NUMBERS.get(x.dtype)
    if numbers is None:
        return x.masked_fill_(~kept, 0.0)
    x.view(numbers).bitwise_and_(kept.to(numbers).neg_())
    return x


class SharedDropout(CountedDropout):
    """Dropout of what all rows have in common, embedded distances say: one mask for all micro-batches of a step."""

    def _thinned(self, x: torch.Tensor) -> torch.Tensor:
        return self._stream.thinned_alike(x.unsqueeze(0), self.site, self.p)[0]


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
