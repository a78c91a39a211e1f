"""A counter-based hash: random bits that depend on what they are for, never on when they are drawn.

Dropout and masked-LM masks derive from (seed, step, example, place) through it, so micro-batches, padding and the
number of processes change nothing but rounding (DESIGN rule 1). ``stilts.models.dropout`` has the same mixer in
torch. The mixer is the 32-bit finaliser "lowbias32" of C. Wellons, hash-prospector (two rounds of xor-shift and
multiply, bias 0.17).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B9  # 2**32 / golden ratio: an odd step that spreads neighbouring counters (Knuth, TAOCP 3, 6.4)
_M1, _M2 = 0x7FEB352D, 0x846CA68B
U32 = NDArray[np.uint32]


def mix(x: U32) -> U32:
    """Each 32-bit number hashed, in numpy."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(_M1)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(_M2)
    return x ^ (x >> np.uint32(16))


def keys(seed: int, *counters: int | NDArray[np.integer]) -> U32:
    """One 32-bit key per element of the (broadcast) counters, from a 63-bit seed."""
    key: U32 = mix(np.asarray([seed & 0xFFFFFFFF], np.uint32) ^ mix(np.asarray([seed >> 32], np.uint32)))
    for counter in counters:
        key = mix(key + np.asarray(counter).astype(np.uint32) * np.uint32(GOLDEN) + np.uint32(1))
    return key


def uniform(key: U32) -> NDArray[np.float64]:
    """Numbers in [0, 1) from hashed keys."""
    return mix(key).astype(np.float64) / 2.0**32
