"""H-score: how far class means stand apart in the metric of the features (Bao et al. 2019, "An
information-theoretic approach to transferability in task transfer learning"), with a shrunk covariance.

The plain score is tr(S^-1 B), S the features' covariance and B that of their class means. With as many features as
examples S has no usable inverse, so it is the regularised one of Ibrahim et al. 2021 (arXiv 2110.06893): S shrunk
toward a multiple of the identity by Ledoit and Wolf's share (2004, "A well-conditioned estimator for large-dimensional
covariance matrices"), and B times one less that share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def h_score(features: FloatArray, labels: NDArray[np.integer]) -> float:
    """The shrunk H-score, 0 to (classes - 1); higher is better. NaN where all features, or all labels, are equal.

    ``features``: (n, D). ``labels``: (n,).
    """
    centred = features - features.mean(axis=0)
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or not np.any(centred):
        return float("nan")
    covariance, share = shrunk_covariance(centred)
    means = np.stack([centred[labels == one].mean(axis=0) for one in classes])
    if share >= 1.0:
        return 0.0  # nothing but noise is seen of the covariance, so nothing of what stands apart in it
    apart = np.einsum("cd,cd->c", means, np.linalg.solve(covariance, means.T).T)
    return float((1.0 - share) * (counts / counts.sum()) @ apart)


def shrunk_covariance(centred: FloatArray) -> tuple[FloatArray, float]:
    """The covariance (D, D) of centred features (n, D), shrunk toward its mean variance, and the share (0 to 1)."""
    n, width = centred.shape
    covariance = centred.T @ centred / n
    scale = float(np.trace(covariance)) / width
    # Squared Frobenius norms: of S, of its distance to the target, and of the single examples' around S.
    norm2 = float((covariance**2).sum())
    distance2 = norm2 - width * scale**2
    spread2 = (float(((centred**2).sum(axis=1) ** 2).sum()) / n - norm2) / n
    # A covariance that is its own target (one feature, say) has nothing to be shrunk.
    share = 0.0 if distance2 <= 1e-12 * norm2 else min(max(spread2, 0.0), distance2) / distance2
    return (1.0 - share) * covariance + share * scale * np.eye(width), share
