"""A Bayesian model of the matrix: a source's scores on all targets are one draw from a multivariate normal.

With targets standardised (``scaling.py``), source ``s`` has ``f_s ~ N(mu + X_s b, S)`` over the targets:
matrix-normal with independent rows. ``S`` (targets x targets) says which targets like the same sources, and so what a
score on one target tells of another; it is estimated by EM under an inverse-Wishart prior around equal correlations
(Chen 1979; Gelman et al. 2013, 3.6), so that few observations give nearly equal correlations and many give free ones.
``X_s`` holds foreign scores and features; their weights ``b`` are shared by all targets and are the learned trust in
them. A cell's mean of n seeds is observed with noise ``v_t / n``; a lower fidelity with an offset per target and an
error of its own.

Sources are independent given these parameters: a posterior costs S inversions of T x T matrices, whatever the number
of observations.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from stilts.search.selecting.beliefs import Beliefs
from stilts.search.selecting.fidelity import level_errors
from stilts.search.selecting.policy import FloatArray
from stilts.search.selecting.scaling import Scaled

# Variance of a score that is itself the truth: enough to keep matrices well conditioned.
_EXACT = 1e-3
# Stands for the infinite variance of what was not observed.
_UNSEEN = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """What is believed of the standardised matrix.

    ``mean``: (S, T). ``joint``: (S, F * T, F * T), covariances of every source's scores at all fidelities, the full one
    last, without seed noise. ``noise``: (T,), variance of one score around that. ``trust``: weights of the covariates.
    ``freedom``: (T,), degrees of freedom that the variances rest on.
    """

    mean: FloatArray
    joint: FloatArray
    noise: FloatArray
    trust: FloatArray
    correlation: float
    freedom: FloatArray

    @property
    def variance(self) -> FloatArray:
        """Variances (S, T) at full fidelity."""
        size = len(self.noise)
        out: FloatArray = np.einsum("stt->st", self.joint[:, -size:, -size:])
        return out


class _State:
    """Parameters while they are estimated."""

    def __init__(self, data: Scaled, beliefs: Beliefs) -> None:
        num_targets = data.z.shape[1]
        self.data, self.beliefs = data, beliefs
        self.mu = np.zeros(num_targets)
        self.trust = np.full(data.covariates.shape[2], beliefs.trust) * data.is_prior
        self.correlation = 0.3
        self.variance = 1.0
        self.cov = self._equal()
        self.noise = np.full(num_targets, beliefs.first_noise if data.repeated else _EXACT)
        self.levels = level_errors(data, beliefs)

    def seeing(self, data: Scaled) -> _State:
        """The same parameters with other scores."""
        other = copy(self)
        other.data = data
        return other

    def _equal(self) -> FloatArray:
        size = len(self.mu)
        return self.variance * (self.correlation * np.ones((size, size)) + (1 - self.correlation) * np.eye(size))

    def centre(self) -> FloatArray:
        """Prior mean of every cell."""
        out: FloatArray = self.mu + self.data.covariates @ self.trust
        return out

    def expect(self) -> tuple[FloatArray, FloatArray]:
        """E-step: posterior means and covariances of all rows."""
        weights, centre = self._weights(np.repeat(self.cov[None], len(self.data.z), axis=0)), self.centre()
        innovation = np.where(self.data.counts > 0, self.data.z - self._shift() - centre, 0.0)
        return centre + np.einsum("stu,su->st", weights, innovation), self.cov - weights @ self.cov

    def joint(self) -> FloatArray:
        """Posterior covariances (S, F * T, F * T) of all fidelities' scores without noise, the full one last."""
        share, level = self.levels.share, self.data.level
        fidelity = np.arange(len(share))
        errors = self.levels.alike * self.cov
        both = share[np.maximum(fidelity[:, None], fidelity[None, :])]
        between = np.kron(np.ones_like(both), self.cov) + np.kron(both, errors)
        # (S, F, T, T) -> (S, F * T, T): covariance of all fidelities with each cell's observed one.
        factor = share[np.maximum(fidelity[None, :, None], level[:, None, :])]
        known = (self.cov + factor[:, :, None, :] * errors).reshape(len(level), -1, len(self.mu))
        # Contiguous: numpy multiplies transposed stacks without BLAS, and far slower.
        out: FloatArray = between - self._weights(known) @ np.ascontiguousarray(np.swapaxes(known, 1, 2))
        return out

    def _weights(self, known: FloatArray) -> FloatArray:
        """Covariances (S, n, T) with each row's observations, times the inverse of the observations' own."""
        at = np.arange(len(self.mu))
        higher = np.maximum(self.data.level[:, :, None], self.data.level[:, None, :])
        spread = self.cov * (1.0 + self.levels.share[higher] * self.levels.alike)
        noise = self.noise / np.maximum(self.data.counts, 1)
        spread[:, at, at] += np.where(self.data.counts > 0, noise, _UNSEEN)
        return np.ascontiguousarray(np.swapaxes(np.linalg.solve(spread, np.swapaxes(known, 1, 2)), 1, 2))

    def _shift(self) -> FloatArray:
        out: FloatArray = np.take_along_axis(self.levels.offset.T, self.data.level, axis=0)
        return out

    def maximise(self, mean: FloatArray, cov: FloatArray) -> None:
        """M-step: every parameter given the rows' posteriors."""
        self._means(mean)
        self._covariance(mean - self.centre(), cov)
        if self.data.repeated:
            self._noise(mean, np.einsum("stt->st", cov))

    def _means(self, mean: FloatArray) -> None:
        x = self.data.covariates
        if x.shape[2]:
            seen = self.data.seen_rows
            inner = np.linalg.inv(self.cov)
            left = np.einsum("stk,tu,sul->kl", x[seen], inner, x[seen], optimize=True)
            right = np.einsum("stk,tu,su->k", x[seen], inner, (mean - self.mu)[seen], optimize=True)
            doubt = np.where(self.data.is_prior, self.beliefs.trust_sd**-2, 1.0)
            believed = self.beliefs.trust * self.data.is_prior * doubt
            self.trust = np.linalg.solve(left + np.diag(doubt), right + believed)
        rest = mean - x @ self.trust
        self.mu = rest.sum(axis=0) / (len(rest) + 1.0)

    def _covariance(self, rest: FloatArray, cov: FloatArray) -> None:
        scatter = rest.T @ rest + cov.sum(axis=0)
        rows, size = len(rest), len(self.mu)
        moments = scatter / rows
        self.variance = float(np.trace(moments)) / size
        if size > 1:
            common = (float(moments.sum()) - float(np.trace(moments))) / (size * (size - 1))
            self.correlation = float(np.clip(common / self.variance, 0.02, 0.95))
        believed = self.beliefs.rows * size
        self.cov = (scatter + believed * self._equal()) / (rows + believed)

    def _noise(self, mean: FloatArray, var: FloatArray) -> None:
        data, beliefs = self.data, self.beliefs
        full = (data.counts > 0) & (data.level == len(data.doublings) - 1)
        off = np.where(full, data.counts * ((data.z - mean) ** 2 + var), 0.0)
        squares = (data.squares + off).sum(axis=0)
        scores = (np.maximum(data.counts - 1, 0) + full).sum(axis=0)
        pooled = squares.sum() + beliefs.noise_scores * beliefs.first_noise * self.variance
        pooled = pooled / (scores.sum() + beliefs.noise_scores)
        self.noise = (squares + beliefs.noise_rows * pooled) / (scores + beliefs.noise_rows)


def posterior(data: Scaled, beliefs: Beliefs) -> Posterior:
    """The rows' posterior under parameters estimated by EM."""
    state = _State(data, beliefs)
    mean, cov = state.expect()
    for _ in range(beliefs.iterations if data.counts.any() else 0):
        state.maximise(mean, cov)
        mean, cov = state.expect()
    surprise, freedom = _surprise(state)
    return Posterior(
        mean=mean,
        joint=_times(state.joint(), surprise),
        freedom=freedom,
        noise=state.noise,
        trust=state.trust,
        correlation=state.correlation,
    )


def _times(joint: FloatArray, factor: FloatArray) -> FloatArray:
    """Covariances (S, F * T, F * T), the variances of each target times its factor (T,)."""
    root = np.sqrt(np.tile(factor, joint.shape[1] // len(factor)))
    out: FloatArray = root[:, None] * joint * root
    return out


def _surprise(state: _State) -> tuple[FloatArray, FloatArray]:
    """By how much errors of prediction exceed what the model says, as a factor of each target's variance (T,), and how
    many degrees of freedom that factor rests on (T,).

    Asked of cells that went from a low fidelity to the full one: what would have been predicted of them without their
    full score, and how far off that was. These are cells that looked best, so a winner's curse is in it, as it is in
    the cells that look best next. Targets differ much in how far cheap scores can be trusted: each one's factor is its
    own, drawn to what all have in common as far as it rests on few cells (scaled inverse chi-square; Smyth 2004).
    """
    data, last, own = state.data, len(state.data.doublings) - 1, state.beliefs.surprise_own
    if last == 0:
        return np.ones(data.z.shape[1]), np.full(data.z.shape[1], own)
    square, count = _surprises(state)
    # The model's errors are in proportion to a target's spread. But what sets sources far apart on a target need not
    # set their errors apart: without knowing which, errors are taken halfway between that and alike in points.
    halfway = np.exp(np.log(data.spread).mean()) / data.spread
    cells = state.beliefs.surprise_cells
    pooled = ((square / halfway).sum() + cells * state.beliefs.surprise) / (count.sum() + cells)
    freedom = count + own
    return (square + own * pooled * halfway) / freedom, freedom


def _surprises(state: _State) -> tuple[FloatArray, FloatArray]:
    """Sums per target (T,) of squared errors over believed variances, and the numbers of cells they are summed over."""
    data, last = state.data, len(state.data.doublings) - 1
    seen = np.isfinite(data.by_level)
    raised = (data.counts > 0) & (data.level == last) & seen[:, :, :last].any(axis=2)
    low = np.where(raised, last - 1 - np.argmax(seen[:, :, :last][:, :, ::-1], axis=2), data.level)
    scores = np.where(raised, np.take_along_axis(data.by_level, low[:, :, None], axis=2)[:, :, 0], data.z)
    mean, cov = state.seeing(replace(data, z=scores, level=low)).expect()
    square = np.where(raised, (data.z - mean) ** 2 / np.einsum("stt->st", cov), 0.0)
    return square.sum(axis=0), raised.sum(axis=0).astype(float)
