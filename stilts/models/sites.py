"""Sites: what stands between an encoder's products, each a function that a GPU can run as one kernel each way.

Plain torch, without state. ``compiled_sites`` has them compiled; on CPUs the same is computed by what is fastest there
(``dropout``, ``attention``), and dropout's masks are the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

# The functions that a device runs as one kernel each way.
SITE_NAMES = ("thinned", "attended", "joined")
# Multipliers of ``stilts.data.counter_hash``; a test holds the two to the same bits.
_M1, _M2 = 0x7FEB352D, 0x846CA68B


class Thinning(NamedTuple):
    """What decides a dropout mask: place ``i`` of row ``r`` is kept where ``hash(keys[r], numbers[i]) >= line``.

    ``keys`` (rows,) and ``numbers`` (the shape of a row) are int32. ``line`` (int32) and ``share`` (fp32), the share
    that is kept, are tensors without axes: as numbers each of a search's values would be a program of its own.
    """

    keys: torch.Tensor
    numbers: torch.Tensor
    line: torch.Tensor
    share: torch.Tensor


def mix_(x: torch.Tensor) -> torch.Tensor:
    """The 32-bit mixer on an int32 tensor, in place: the same bits on every device."""
    x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF))
    x.mul_(_M1)
    x.bitwise_xor_((x >> 15).bitwise_and_(0x1FFFF))
    x.mul_(_M2 - 2**32)
    return x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF))


def kept(drop: Thinning) -> torch.Tensor:
    """(rows, *places) the mask of a site: False where something is dropped."""
    return mix_(drop.keys.view(-1, *(1 for _ in drop.numbers.shape)) + drop.numbers) >= drop.line


def thinned(x: torch.Tensor, drop: Thinning) -> torch.Tensor:
    """``x`` (rows, ...) where it is kept, divided by the share that is; 0 elsewhere."""
    return torch.where(kept(drop), x / drop.share, 0.0)


def attended(scores: torch.Tensor, added: torch.Tensor | None, scale: float, drop: Thinning | None) -> torch.Tensor:
    """Probabilities (rows, heads, queries, keys) of attention from its products, thinned.

    ``added`` broadcasts to the scores once they are scaled: a bias, minus infinity where a key may not be seen.
    """
    scaled = scores * scale
    if added is not None:
        scaled = scaled + added
    probabilities = torch.softmax(scaled.float(), dim=-1).to(scores.dtype)
    return probabilities if drop is None else thinned(probabilities, drop)


def joined(
    x: torch.Tensor,
    residual: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    eps: float,
    drop: Thinning | None,
    narrow: torch.dtype,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The layer norm of a residual stream and what a layer adds to it, thinned: both (rows, tokens, width).

    Twice: as the stream goes on (the residual's dtype), and in ``narrow``, as the next product reads it.
    """
    added = x if drop is None else thinned(x, drop)
    wide = torch.nn.functional.layer_norm((added + residual).float(), weight.shape, weight, bias, eps)
    return wide.to(residual.dtype), wide.to(narrow)
