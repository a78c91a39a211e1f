"""What a posterior says of the best source of each target: its probability, and the regret that is expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.tally import BoolArray

_GRID = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BestSource:
    """Per target: P(best) of every source (S, T), and the expected loss (T,) of taking the highest mean."""

    probability: FloatArray
    regret: FloatArray


def standing(mean: FloatArray, variance: FloatArray, exists: BoolArray) -> BestSource:
    """Independent normals per target, integrated on a grid: P(s is the maximum) and E[max] - max mean.

    Cells that do not exist have probability 0; a target without cells has regret 0.
    """
    some = exists.any(axis=0)
    sd = np.sqrt(np.maximum(variance, 1e-12))
    top = np.where(some, np.where(exists, mean, -np.inf).max(axis=0), 0.0)
    # The maximum lies above the highest lower end and below the highest upper end.
    low = np.where(exists, mean - 5 * sd, -np.inf).max(axis=0, initial=-np.inf)
    high = np.where(exists, mean + 5 * sd, -np.inf).max(axis=0, initial=-np.inf)
    low, high = np.where(some, low, -1.0), np.where(some, high, 1.0)
    grid = low + (high - low) * np.linspace(0.0, 1.0, _GRID)[:, None]
    below = ndtr((grid[:, None, :] - mean) / sd)
    below = np.where(exists, np.maximum(below, 1e-300), 1.0)
    logs = np.log(below)
    total = logs.sum(axis=1)
    share = (np.diff(below, axis=0, prepend=below[:1]) * np.exp(total[:, None, :] - logs)).sum(axis=0)
    probability = share / np.maximum(share.sum(axis=0), 1e-300)
    expected = high - np.trapezoid(np.exp(total), grid, axis=0)
    regret = np.where(some, np.maximum(expected - top, 0.0), 0.0)
    return BestSource(probability=np.where(some, probability, 0.0), regret=regret)
