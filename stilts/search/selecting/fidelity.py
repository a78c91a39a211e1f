"""What a score at a low fidelity says of the full one: an offset per target, and an error that shrinks with fidelity.

A row's score at fidelity k is ``f + o_k + d_k``, the error ``d_k`` of a target t having variance ``share_k * S_tt``.
Most of it is alike on targets that are alike, so that a row's many cheap scores do not average it out; the rest is the
cell's own. Errors of two fidelities share that of the higher one (independent increments; Kennedy and O'Hagan 2000,
"Predicting the output from a complex computer code when fast approximations are available", whose autoregression this
is with slope 1). So only a cell's highest fidelity counts.

The error is believed to be small, and is not learned: the cells that are scored twice are those that looked best, and
a share learned of them (a winner's curse and all) draws every special cell back to its row. What that belief misses is
counted afterwards, in the variances (``row_model.py``, surprise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stilts.search.selecting.beliefs import Beliefs
from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.scaling import Scaled

# Pairs' worth of the targets' common offset in each target's own.
_OFFSET_PAIRS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelErrors:
    """``share``: (F,), error variance relative to a target's own, 0 for the full one; ``alike``: (T, T), which part of
    it two targets have in common; ``offset``: (T, F), how much higher a target's scores are than at full fidelity."""

    share: FloatArray
    alike: FloatArray
    offset: FloatArray


def level_errors(data: Scaled, beliefs: Beliefs) -> LevelErrors:
    """Errors of every fidelity as believed, offsets from the cells scored at it and at a higher one."""
    size, levels = data.z.shape[1], len(data.doublings)
    alike = np.full((size, size), beliefs.common_error)
    np.fill_diagonal(alike, 1.0)
    offset = np.zeros((size, levels))
    for k in range(levels - 2, -1, -1):
        pair = (data.level > k) & (data.counts > 0) & np.isfinite(data.by_level[:, :, k])
        higher = np.take_along_axis(offset.T, data.level, axis=0)
        gap = np.where(pair, data.by_level[:, :, k] - data.z + higher, 0.0)
        common = gap.sum() / (pair.sum() + 1.0)
        offset[:, k] = (gap.sum(axis=0) + _OFFSET_PAIRS * common) / (pair.sum(axis=0) + _OFFSET_PAIRS)
    return LevelErrors(share=beliefs.doubling_error * data.doublings, alike=alike, offset=offset)
