"""Beliefs: what the model of the matrix takes for granted before it sees a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """Strengths of the priors, as numbers of observations; the same for every table.

    ``rows``: sources' worth of equal correlations in S, per target: a covariance of T targets has T times as many
    freedoms as their variances, and taken at its word would be far too sure of a cell that it predicts from others.
    ``variance_rows``: sources' worth of the targets' common variance in each target's own.
    ``noise_rows``: scores' worth of pooled noise per target. ``first_noise``: noise variance relative to a target's
    variance between sources, before there are replicates, with ``noise_scores`` scores' worth.

    ``trust``: mean weight of a prior over all targets, known to within ``trust_sd``; that of a feature is 0, to within
    ``feature_sd``. ``own_sd``: how far a target's own weight lies from that. ``iterations``: of EM.
    """

    rows: float = 1.5
    variance_rows: float = 4.0
    noise_rows: float = 4.0
    first_noise: float = 0.4
    noise_scores: float = 10.0
    trust: float = 0.6
    trust_sd: float = 0.3
    feature_sd: float = 0.5
    own_sd: float = 0.3
    iterations: int = 12
