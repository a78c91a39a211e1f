"""LogME against the evidence maximised by brute force, the H-score against its definition; both on easy worlds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from stilts.estimate.h_score import h_score, shrunk_covariance
from stilts.estimate.logme import logme


def world(examples: int, width: int, apart: float, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Features whose class means lie ``apart`` from one another, and the classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, examples)
    return rng.normal(size=(examples, width)) + apart * rng.normal(size=(classes, width))[labels], labels


def largest_evidence(features: np.ndarray, y: np.ndarray) -> float:
    """Log evidence over n at its maximum, from the marginal N(0, I / beta + F F' / alpha) and a general optimiser."""
    n = len(y)

    def negative(logs: np.ndarray) -> float:
        alpha, beta = np.exp(np.clip(logs, -50, 50))
        covariance = np.eye(n) / beta + features @ features.T / alpha
        return float(n * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + y @ np.linalg.solve(covariance, y)) / 2

    starts = [(0.0, 0.0), (2.0, 1.0), (-2.0, 3.0), (4.0, 0.0)]
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000}
    best = min(minimize(negative, start, method="Nelder-Mead", options=options).fun for start in starts)
    return -float(best) / n


@pytest.mark.parametrize(("examples", "width"), [(40, 5), (30, 30), (20, 50)])
@pytest.mark.parametrize("apart", [0.3, 1.0])
def test_logme_is_the_largest_evidence(examples: int, width: int, apart: float) -> None:
    features, labels = world(examples, width, apart, classes=3)
    expected = np.mean([largest_evidence(features, (labels == one).astype(float)) for one in range(3)])
    assert logme(features, labels) == pytest.approx(expected, abs=1e-4)


def test_logme_ignores_the_unit_of_the_features() -> None:
    features, labels = world(60, 8, 0.7)
    assert logme(1000.0 * features, labels) == pytest.approx(logme(features, labels), abs=1e-4)


@pytest.mark.parametrize("score", [logme, h_score])
def test_features_that_tell_classes_apart_score_higher(score: object) -> None:
    found = [score(*world(200, 16, apart, classes=4)) for apart in (0.0, 0.5, 2.0)]  # type: ignore[operator]
    assert found[0] < found[1] < found[2]


@pytest.mark.parametrize("score", [logme, h_score])
def test_one_class_says_nothing(score: object) -> None:
    assert np.isnan(score(np.random.default_rng(0).normal(size=(9, 3)), np.zeros(9, int)))  # type: ignore[operator]


def test_h_score_by_hand() -> None:
    # Class means at -1 and +1, spread 1 within: variance 2, so the plain score is 1 / 2.
    features = np.array([[-2.0], [0.0], [0.0], [2.0]])
    # One feature's covariance is a multiple of the identity already: nothing is shrunk.
    assert h_score(features, np.array([0, 0, 1, 1])) == pytest.approx(0.5)


def test_h_score_is_the_trace_of_its_definition() -> None:
    features, labels = world(80, 6, 1.0, classes=3)
    centred = features - features.mean(axis=0)
    covariance, share = shrunk_covariance(centred)
    assert 0.0 < share < 1.0
    means = np.stack([centred[labels == label].mean(axis=0) for label in labels])
    expected = np.trace(np.linalg.inv(covariance) @ ((1 - share) * means.T @ means / len(means)))
    assert h_score(features, labels) == pytest.approx(expected)


def test_the_share_of_ledoit_and_wolf_by_its_sums() -> None:
    centred = np.random.default_rng(1).normal(size=(12, 4)) * [1.0, 2.0, 3.0, 4.0]
    centred -= centred.mean(axis=0)
    sample = centred.T @ centred / 12
    target = np.eye(4) * np.trace(sample) / 4
    around = np.mean([((np.outer(x, x) - sample) ** 2).sum() for x in centred]) / 12
    expected = min(around, ((sample - target) ** 2).sum()) / ((sample - target) ** 2).sum()
    covariance, share = shrunk_covariance(centred)
    assert share == pytest.approx(expected)
    assert covariance == pytest.approx((1 - expected) * sample + expected * target)


def test_random_labels_score_near_their_floor_with_as_many_features_as_examples() -> None:
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 120)), rng.integers(0, 2, 60)
    assert h_score(features, labels) < 0.5, "unshrunk, any labels would score 1 here"
