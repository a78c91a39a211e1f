"""Which sources are alike by what is known of them beforehand, and what those seen say of those unseen.

What the regression leaves of a source's scores is taken to be like that of sources with like foreign scores and
features (kriging: a normal process over sources; Rasmussen and Williams 2006, 2.2). So what is bought first is spread
out: a source is worth less the more it is like one that was seen, or runs now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.scaling import Scaled
from stilts.search.selecting.tally import BoolArray

# Shares of a source's own variance that it may have in common with a source that is known to be the same.
_SHARES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
# Sources to see before the share is told from scores; until then the middle one is believed.
_ENOUGH = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kinship:
    """``alike``: (S, S), correlations between sources of what the regression leaves."""

    alike: FloatArray

    @classmethod
    def of(cls, data: Scaled, rest: FloatArray, variance: FloatArray) -> Kinship:
        """By covariates, with the share under which what is left of the scores of rows seen (S, T) is likeliest."""
        near = _near(data)
        seen = data.seen_rows
        shares = [_mixed(near, share) for share in _SHARES]
        if seen.sum() < _ENOUGH or not data.covariates.shape[2]:
            return cls(alike=shares[len(shares) // 2])
        left = rest[seen] / np.sqrt(variance)
        return cls(alike=max(shares, key=lambda alike: _likelihood(alike[np.ix_(seen, seen)], left)))

    def told(self, seen: BoolArray, rest: FloatArray) -> FloatArray:
        """What rows seen say of the others' (S, T) beyond the regression; 0 for themselves."""
        weights = np.linalg.solve(self.alike[np.ix_(seen, seen)], self.alike[seen])
        out: FloatArray = np.where(seen[:, None], 0.0, weights.T @ rest[seen])
        return out

    def novelty(self, seen: BoolArray) -> FloatArray:
        """Which share (S,) of a source's variance is not told by those seen."""
        weights = np.linalg.solve(self.alike[np.ix_(seen, seen)], self.alike[seen])
        out: FloatArray = np.maximum(1.0 - np.einsum("ns,ns->s", weights, self.alike[seen]), 0.0)
        return out


def _near(data: Scaled) -> FloatArray:
    """Nearness (S, S) of covariates, 1 for the same and 1/e at the median distance; without any, nobody is near."""
    known = data.covariates.reshape(len(data.z), -1)
    squares = (known**2).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares - 2 * known @ known.T, 0.0)
    typical = float(np.median(distance[distance > 0])) if (distance > 0).any() else 0.0
    out: FloatArray = np.exp(-distance / typical) if typical else np.eye(len(known))
    return out


def _mixed(near: FloatArray, share: float) -> FloatArray:
    out: FloatArray = share * near + (1 - share) * np.eye(len(near))
    return out


def _likelihood(alike: FloatArray, left: FloatArray) -> float:
    """Log-likelihood of rows (n, T) whose columns are draws with this covariance, but for a constant."""
    _, logs = np.linalg.slogdet(alike)
    return float(-left.shape[1] * logs - (left * np.linalg.solve(alike, left)).sum()) / 2
