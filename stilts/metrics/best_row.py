"""How likely each row of a column is the best, once the luck of being ahead is taken into account.

The highest of many noisy scores is high partly by luck, so draws around the observed means are far too sure of it (in
simulated studies with two replicates, rows called best with 0.8 to 0.9 were so in 58 of 100). Here the rows' true
scores have a common normal distribution whose spread is estimated with them (a hierarchical model, as in Gelman et
al., Bayesian Data Analysis, section 5.4), which pulls the observed means together by as much as the data warrant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from stilts.metrics.metric import FloatArray

# Half of the prior's weight lies below this spread of true scores, in points, and it never excludes any (half-Cauchy,
# Gelman 2006). Intermediates of one target differ by a few points, as the published gains do (Phang et al. 2020).
PRIOR_SPREAD_PP = 3.0
_SPREADS, _SCALES = 40, 9  # points of the grid over the rows' spread and over the seeds' variance


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueScores:
    """Draws from the posterior of a column's true scores.

    ``scores`` has shape (draws, rows), in points around the observed mean; ``scale`` (draws,) is what each draw takes
    the seeds' variance for, as a multiple of the estimate.
    """

    scores: FloatArray
    scale: FloatArray


def true_scores(
    means: FloatArray, items: FloatArray, seeds: FloatArray, df: int, stream: np.random.Generator, *, draws: int = 4000
) -> TrueScores:
    """What the true scores of a column's rows may be, given the observed ones.

    ``means`` are the rows' scores in points; ``items`` (rows, rows) is the covariance of the means under resampled
    items, ``seeds`` (rows,) what the seeds add to each one's variance, known on ``df`` degrees of freedom (0: taken
    for known).
    """
    count = len(means)
    spreads = PRIOR_SPREAD_PP * np.tan(np.pi / 2 * (np.arange(_SPREADS) + 0.5) / _SPREADS)
    # Quantiles of chi-square are 2 gammaincinv(df / 2, .); scipy.stats would take half a second to import.
    scales = df / (2 * gammaincinv(df / 2, (np.arange(_SCALES) + 0.5) / _SCALES)) if df else np.ones(1)
    noise = items + scales[:, None, None] * np.diag(seeds)  # (scales, rows, rows)
    noise = np.broadcast_to(noise, (_SPREADS, *noise.shape)).reshape(-1, count, count)
    total = noise + np.repeat(spreads**2, len(scales))[:, None, None] * np.eye(count)
    centre, covariance, weights = _posteriors(means - means.mean(), noise, total)
    chosen = stream.choice(len(weights), draws, p=weights)
    normal = stream.standard_normal((draws, count))
    scores = centre[chosen] + np.einsum("dij,dj->di", root(covariance)[chosen], normal)
    return TrueScores(scores=scores, scale=np.tile(scales, _SPREADS)[chosen])


def best_probabilities(scores: TrueScores) -> FloatArray:
    """The posterior probability that each row's true score is the highest, shape (rows,); sums to 1.

    Rows that are the same model share their probability.
    """
    # Copies of one model differ by rounding alone.
    top = scores.scores >= scores.scores.max(axis=1, keepdims=True) - 1e-6
    shares: FloatArray = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def root(covariance: FloatArray) -> FloatArray:
    """A matrix R with R R' the covariance, for one (rows, rows) or several; singular ones too."""
    values, vectors = np.linalg.eigh(covariance)
    out: FloatArray = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
    return out


def _posteriors(x: FloatArray, noise: FloatArray, total: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean and covariance of the true scores at every point of the grid, and each point's posterior weight.

    The overall mean has a flat prior and is integrated out.
    """
    inverse = np.linalg.inv(total)
    ones = inverse.sum(axis=2)  # S^-1 1, shape (grid, rows)
    precision = ones.sum(axis=1)
    overall = (ones @ x) / precision
    residual = x - overall[:, None]
    weighed = np.einsum("gij,gj->gi", inverse, residual)
    log_likelihood = -0.5 * (np.linalg.slogdet(total)[1] + np.log(precision) + (residual * weighed).sum(axis=1))
    weights = np.exp(log_likelihood - log_likelihood.max())
    gain = noise @ inverse
    pull = np.einsum("gij,gj->gi", noise, ones)  # how far each true score follows the overall mean
    covariance = noise - gain @ noise + pull[:, :, None] * pull[:, None, :] / precision[:, None, None]
    return x - np.einsum("gij,gj->gi", noise, weighed), covariance, weights / weights.sum()
