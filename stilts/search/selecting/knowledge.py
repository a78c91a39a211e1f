"""Knowledge gradient: by how much one more score is expected to reduce regret, over all targets, per trial.

Frazier, Powell and Dayanik 2009 ("The Knowledge-Gradient Policy for Correlated Normal Beliefs"). Rows are independent,
so a score of source s moves the means of s alone, and the expected gain has a closed form per target. One noisy
score often cannot change any choice, and its value is then next to nothing; the value of n scores divided by n is used
where that is larger (Frazier and Powell 2010, "Paradoxes in Learning and the Marginal Value of Information").
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, ndtr, stdtr

from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.tally import BoolArray, IntArray

_ROOT = 1.0 / np.sqrt(2 * np.pi)
# Beyond so many deviations nothing is expected, and squares would overflow where there is no deviation at all.
_FAR = 1e6


def gaps(mean: FloatArray, exists: BoolArray) -> FloatArray:
    """How far each cell is from the best other cell of its target (S, T), at least 0; infinite where none exists."""
    values = np.where(exists, mean, -np.inf)
    if len(values) < 2:
        return np.full(mean.shape, np.inf)
    top = np.sort(values, axis=0)[-2:]
    others = np.where(values == top[1], top[0], top[1])
    out = np.abs(values - others)
    return np.where(np.isfinite(out), out, np.inf)


def gain(joint: FloatArray, gap: FloatArray, noise: FloatArray, weight: FloatArray) -> FloatArray:
    """Expected gain (n, k) of observing each of k things of a row once, for each of n noises.

    ``joint``: (k, k), the row's covariance; its last T are the targets. ``gap``: (T,). ``noise``:
    (n, k). ``weight``: (T,), what a unit of each target is worth.
    """
    deviation = np.sqrt(np.diag(joint) + noise)
    sigma = np.maximum(np.abs(joint[:, -len(gap) :]) / deviation[:, :, None], 1e-12)
    out: FloatArray = _expected(gap, sigma) @ weight
    return out


def together(
    joint: FloatArray, gap: FloatArray, places: IntArray, noise: FloatArray, weight: FloatArray, freedom: float = np.inf
) -> float:
    """Expected gain of observing several things of a row at once: as ``gain``, with ``noise`` of each of ``places``.

    ``freedom``: degrees of freedom of Student's distribution where the row's covariance is itself estimated.
    """
    known = joint[np.ix_(places, np.arange(len(joint) - len(gap), len(joint)))]
    spread = joint[np.ix_(places, places)] + np.diag(noise)
    moved = np.maximum(np.einsum("kt,kt->t", known, np.linalg.solve(spread, known)), 1e-24)
    if np.isinf(freedom):
        return float(_expected(gap, np.sqrt(moved)) @ weight)
    return float(improvement(-gap, moved, np.zeros_like(gap), np.full(len(gap), freedom)) @ weight)


def improvement(mean: FloatArray, variance: FloatArray, best: FloatArray, freedom: FloatArray) -> FloatArray:
    """E[max(0, X - best)] of X = mean + sqrt(variance) * t, with t of Student's distribution.

    Expected improvement (Jones, Schonlau and Welch 1998) where the variance is itself estimated, with more than one
    degree of ``freedom``: the fewer, the more is to be hoped for from cells far below the best.
    """
    sigma = np.sqrt(np.maximum(variance, 1e-24))
    x = np.maximum((mean - best) / sigma, -_FAR)
    near = np.minimum(x, _FAR)
    logs = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * np.log(np.pi * freedom)
    density = np.exp(logs - (freedom + 1) / 2 * np.log1p(near * near / freedom))
    value: FloatArray = sigma * (x * stdtr(freedom, x) + (freedom + near * near) / (freedom - 1) * density)
    return np.maximum(value, 0.0)


def _expected(gap: FloatArray, sigma: FloatArray) -> FloatArray:
    """E[max(0, X - gap)] of X ~ N(0, sigma^2)."""
    x = np.minimum(gap / sigma, 30.0)
    value: FloatArray = sigma * (_ROOT * np.exp(-0.5 * x * x) - x * ndtr(-x))
    return np.maximum(value, 0.0)


def after(joint: FloatArray, place: int, noise: float) -> FloatArray:
    """A row's covariance (k, k) once one of its k things was observed with this noise variance."""
    column = joint[:, place]
    out: FloatArray = joint - np.outer(column, column) / (column[place] + noise)
    return out
