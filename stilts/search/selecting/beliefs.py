"""Beliefs: what the model of the matrix takes for granted before it sees a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """Strengths of the priors, as numbers of observations; the same for every table.

    ``rows``: sources' worth of equal correlations in S, per target: a covariance of T targets has T times as many
    freedoms as their variances, and taken at its word would be far too sure of a cell that it predicts from others.
    ``noise_rows``: scores' worth of pooled noise per target. ``first_noise``: noise variance relative to a target's
    variance between sources, before there are replicates, with ``noise_scores`` scores' worth.

    ``doubling_error``: error variance of a fidelity relative to a target's variance, per doubling of price up to the
    full one; ``common_error`` is the share of it that is alike on targets that are alike. ``surprise``: by which factor
    variances that rest on low fidelities fall short, before cells were raised to the full one, with ``surprise_cells``
    cells' worth; ``surprise_own``: cells' worth of the pooled factor in each target's own.

    ``trust``: prior mean weight of a foreign matrix, known to within ``trust_sd``. ``iterations``: of EM.
    """

    rows: float = 1.5
    noise_rows: float = 4.0
    first_noise: float = 0.4
    noise_scores: float = 10.0
    trust: float = 0.6
    trust_sd: float = 0.3
    doubling_error: float = 0.01
    common_error: float = 0.9
    surprise: float = 1.0
    surprise_cells: float = 20.0
    surprise_own: float = 4.0
    iterations: int = 12
