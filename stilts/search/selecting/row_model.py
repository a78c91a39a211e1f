"""A Bayesian model of the matrix: a source's scores on all targets are one draw from a multivariate normal.

With targets standardised (``scaling.py``), source ``s`` has ``f_s ~ N(X_s W, S)`` over the targets: matrix-normal with
independent rows. ``S`` (targets x targets) says which targets like the same sources, and so what a score on one target
tells of another; it is estimated by EM under an inverse-Wishart prior around equal correlations (Chen 1979; Gelman et
al. 2013, 3.6), so that few observations give nearly equal correlations and many give free ones. ``X_s W`` is what is
known of a source beforehand (``regression.py``). A cell's mean of n seeds is observed with noise ``v_t / n``.

Sources are independent given these parameters: a posterior costs one inversion of T x T for every set of targets that
some source was scored on, whatever the number of observations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stilts.search.selecting.beliefs import Beliefs
from stilts.search.selecting.kinship import Kinship
from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.regression import Regression, design
from stilts.search.selecting.scaling import Scaled

# Variance of a score that is itself the truth: enough to keep matrices well conditioned.
_EXACT = 1e-3
# Stands for the infinite variance of what was not observed.
_UNSEEN = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """What is believed of the standardised matrix.

    ``mean``: (S, T). ``joint``: (S, T, T), covariance of every source's scores without seed noise. ``noise``: (T,),
    variance of one score around that. ``regression``: what is known beforehand, and how well; ``kinship``: which
    sources are alike.
    """

    mean: FloatArray
    joint: FloatArray
    noise: FloatArray
    regression: Regression
    kinship: Kinship
    correlation: float

    @property
    def variance(self) -> FloatArray:
        """Variances (S, T)."""
        out: FloatArray = np.einsum("stt->st", self.joint)
        return out


class _State:
    """Parameters while they are estimated."""

    def __init__(self, data: Scaled, beliefs: Beliefs) -> None:
        num_targets = data.z.shape[1]
        self.data, self.beliefs = data, beliefs
        self.correlation = 0.3
        # What priors explain is known before any score; a target's variance is 1.
        self.first = 1.0 - beliefs.trust**2 if data.is_prior.any() else 1.0
        self.variance = self.first
        self.cov = self.first * _equal(num_targets, self.correlation)
        self.noise = np.full(num_targets, beliefs.first_noise if data.repeated else _EXACT)
        self.design = design(data)
        self.regression = Regression.believed(self.design, data, beliefs)

    def expect(self) -> tuple[FloatArray, FloatArray]:
        """E-step: posterior means (S, T) and covariances (S, T, T) of all rows."""
        counts = self.data.counts
        patterns, which = np.unique(counts, axis=0, return_inverse=True)
        noise = np.where(patterns > 0, self.noise / np.maximum(patterns, 1), _UNSEEN)
        spread = np.repeat(self.cov[None], len(patterns), axis=0)
        spread[:, np.arange(len(self.cov)), np.arange(len(self.cov))] += noise
        weights = np.ascontiguousarray(np.swapaxes(np.linalg.solve(spread, self.cov[None]), 1, 2))
        centre = self.regression.centre()
        innovation = np.where(counts > 0, self.data.z - centre, 0.0)
        which = which.reshape(-1)
        mean = centre + np.einsum("stu,su->st", weights[which], innovation)
        return mean, (self.cov - weights @ self.cov)[which]

    def maximise(self, mean: FloatArray, cov: FloatArray) -> None:
        """M-step: every parameter given the posteriors of the rows that were seen."""
        seen = self.data.seen_rows
        self.regression = self.regression.fitted(mean, seen, np.diag(self.cov))
        self._covariance((mean - self.regression.centre())[seen], cov[seen])
        if self.data.repeated:
            self._noise(mean, np.einsum("stt->st", cov))

    def _covariance(self, rest: FloatArray, cov: FloatArray) -> None:
        scatter = rest.T @ rest + cov.sum(axis=0)
        rows, size = len(rest), len(self.cov)
        own = np.diag(scatter)
        # One row of the first variance: a single row has none.
        self.variance = (float(own.mean()) + self.first) / (rows + 1.0)
        drawn = self.beliefs.variance_rows
        variance = (own + drawn * self.variance) / (rows + drawn)
        alike = scatter / np.sqrt(own[:, None] * own)
        if size > 1:
            common = (float(alike.sum()) - size) / (size * (size - 1))
            self.correlation = float(np.clip(rows * common + 0.3, 0.02 * (rows + 1), 0.95 * (rows + 1))) / (rows + 1)
        believed = self.beliefs.rows * size
        alike = (rows * alike + believed * _equal(size, self.correlation)) / (rows + believed)
        self.cov = np.sqrt(variance[:, None] * variance) * alike

    def _noise(self, mean: FloatArray, var: FloatArray) -> None:
        data, beliefs = self.data, self.beliefs
        squares = (data.squares + data.counts * ((data.z - mean) ** 2 + var)).sum(axis=0)
        scores = data.counts.sum(axis=0)
        pooled = squares.sum() + beliefs.noise_scores * beliefs.first_noise * self.variance
        pooled = pooled / (scores.sum() + beliefs.noise_scores)
        self.noise = (squares + beliefs.noise_rows * pooled) / (scores + beliefs.noise_rows)


def _equal(size: int, correlation: float) -> FloatArray:
    """A correlation matrix of equal correlations."""
    out: FloatArray = np.where(np.eye(size, dtype=bool), 1.0, correlation)
    return out


def posterior(data: Scaled, beliefs: Beliefs) -> Posterior:
    """The rows' posterior under parameters estimated by EM."""
    state = _State(data, beliefs)
    mean, cov = state.expect()
    for _ in range(beliefs.iterations if data.counts.any() else 0):
        state.maximise(mean, cov)
        mean, cov = state.expect()
    rest = mean - state.regression.centre()
    kinship = Kinship.of(data, rest, np.diag(state.cov))
    return Posterior(
        mean=mean + kinship.told(data.seen_rows, rest),
        joint=cov,
        noise=state.noise,
        regression=state.regression,
        kinship=kinship,
        correlation=state.correlation,
    )
