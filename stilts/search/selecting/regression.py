"""What is known of a cell before it is run: a regression of scores on foreign scores and features, target by target.

The weights of every target are its own, drawn to what all targets have in common (a hierarchical linear model; Gelman
et al. 2013, 15.1). Features enter with their squares, because more of a thing rarely helps for ever. How well the
weights are known says which sources are unlike all those seen (``doubt``): they are worth a look for that alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stilts.search.selecting.beliefs import Beliefs
from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.scaling import Scaled
from stilts.search.selecting.tally import BoolArray


def design(data: Scaled) -> FloatArray:
    """(S, T, p): a one, foreign scores, features, and the features' squares."""
    ones = np.ones((*data.z.shape, 1))
    squares = data.covariates[:, :, ~data.is_prior] ** 2
    return np.concatenate([ones, data.covariates, squares - squares.mean(axis=0)], axis=2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regression:
    """Weights (T, p) of a design (S, T, p). ``common``: (p,), what targets share.

    ``precision``: (T, p, p), of the weights, relative to a target's variance between sources. ``first``: (p,), the
    common weights as believed, with ``first_variance``; ``own``: (p,), variances of a target's weights around them.
    """

    design: FloatArray
    weights: FloatArray
    precision: FloatArray
    first: FloatArray
    first_variance: FloatArray
    own: FloatArray

    @classmethod
    def believed(cls, design: FloatArray, data: Scaled, beliefs: Beliefs) -> Regression:
        """Before any score: foreign scores are trusted by ``beliefs.trust``, features not at all."""
        prior = data.is_prior
        halves = np.full(int((~prior).sum()), 0.5)  # Squares are believed to weigh half as much.
        first = np.concatenate([[0.0], beliefs.trust * prior, 0.0 * halves])
        doubt = np.where(prior, beliefs.trust_sd, beliefs.feature_sd)
        sd = np.concatenate([[0.0], doubt, halves * beliefs.feature_sd])
        # A target's centre is known but for the sources seen; with a prior, of all sources (``scaling.py``).
        centre = beliefs.own_sd if prior.any() else 1.0
        own = np.concatenate([[centre], np.full(len(prior), beliefs.own_sd), halves * beliefs.own_sd])
        size = design.shape[1]
        return cls(
            design=design,
            weights=np.tile(first, (size, 1)),
            precision=np.tile(np.diag(1.0 / (sd**2 + own**2)), (size, 1, 1)),
            first=first,
            first_variance=np.maximum(sd**2, 1e-9),
            own=own**2,
        )

    def centre(self) -> FloatArray:
        """What is expected of every cell (S, T) from what is known beforehand."""
        out: FloatArray = np.einsum("stp,tp->st", self.design, self.weights)
        return out

    def fitted(self, mean: FloatArray, seen: BoolArray, variance: FloatArray) -> Regression:
        """Weights given the scores (S, T) of the rows ``seen`` with their variances (T,) around the regression."""
        x = self.design[seen]
        scatter = np.einsum("stp,stq->tpq", x, x)
        gram = scatter / variance[:, None, None]
        right = np.einsum("stp,st->tp", x, mean[seen]) / variance[:, None]
        size = gram.shape[1]
        # The targets' own deviations integrated out: what is left of each target's information on the common weights.
        left_out = np.linalg.inv(np.eye(size) + gram * self.own)
        information = np.diag(1.0 / self.first_variance) + (left_out @ gram).sum(axis=0)
        told = self.first / self.first_variance + np.einsum("tpq,tq->p", left_out, right)
        common = np.linalg.solve(information, told)
        weights = np.linalg.solve(gram + np.diag(1.0 / self.own), (right + common / self.own)[:, :, None])[:, :, 0]
        prior = np.diag(1.0 / (self.first_variance + self.own))
        return replace(self, weights=weights, precision=scatter + prior)

    def doubt(self) -> FloatArray:
        """Variance of ``centre`` (S, T), relative to a target's variance between sources."""
        inverse = np.linalg.inv(self.precision)
        out: FloatArray = np.einsum("stp,tpq,stq->st", self.design, inverse, self.design, optimize=True)
        return out

    def seeing(self, source: int) -> Regression:
        """With ``doubt`` as if the source's scores were in."""
        x = self.design[source]
        return replace(self, precision=self.precision + x[:, :, None] * x[:, None, :])
