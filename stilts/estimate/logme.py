"""LogME: how well a Bayesian linear model explains labels by features (You et al. 2021, arXiv 2102.11005).

For features F (n, D) and one target y (n,): y given F w has precision beta, w has precision alpha, both isotropic. The
evidence p(y | F, alpha, beta) is maximised over alpha and beta, by the fixed point of their section 4.2, and LogME is
its logarithm over n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# The paper finds that a few iterations suffice; where they do not, the figure no longer moves in its fourth digit.
_MOST_ITERATIONS, _TOLERANCE = 200, 1e-6
_TINY = 1e-12


def logme(features: FloatArray, labels: NDArray[np.integer]) -> float:
    """Maximum log evidence in nats per example, mean over classes, each against the rest; higher is better.

    ``features``: (n, D). ``labels``: (n,); classes that do not occur are left out, as is a class that all examples
    have (there is nothing to explain). NaN where no class is left.
    """
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    classes, counts = np.unique(labels, return_counts=True)
    kept = [one for one, count in zip(classes, counts, strict=True) if count < len(labels)]
    found = [_evidence(left, values**2, (labels == one).astype(np.float64)) for one in kept]
    return float(np.mean(found)) if found else float("nan")


def _evidence(left: FloatArray, squares: FloatArray, y: FloatArray) -> float:
    """Maximum log evidence of one target, over n. ``left`` (n, k) and ``squares`` (k,) are of F's singular values."""
    n = len(y)
    z2 = (left.T @ y) ** 2
    rest = max(float(y @ y - z2.sum()), 0.0)  # of y, what no weights can reach
    alpha = beta = 1.0
    for _ in range(_MOST_ITERATIONS):
        ratio = alpha / beta
        gamma, mean2, residual = _moments(squares, z2, rest, ratio)
        alpha, beta = gamma / max(mean2, _TINY), (n - gamma) / max(residual, _TINY)
        if abs(alpha / beta - ratio) <= _TOLERANCE * ratio:
            break
    _, mean2, residual = _moments(squares, z2, rest, alpha / beta)
    # Of log det(alpha I + beta F'F), the D - k directions without features cancel against D log alpha.
    log_det = np.log(alpha + beta * squares).sum() - len(squares) * np.log(alpha)
    fit = n * np.log(beta) - n * np.log(2 * np.pi) - beta * residual - alpha * mean2
    return float((fit - log_det) / (2 * n))


def _moments(squares: FloatArray, z2: FloatArray, rest: float, ratio: float) -> tuple[float, float, float]:
    """gamma, the squared norm of the mean weights m, and of y - F m, for a ratio alpha / beta."""
    shrunk = ratio + squares
    gamma = float((squares / shrunk).sum())
    return gamma, float((squares * z2 / shrunk**2).sum()), float(((ratio / shrunk) ** 2 * z2).sum()) + rest
