"""P(best) against its closed form for two rows, and against what it must do for many."""

import numpy as np
import pytest
from scipy.stats import norm

from stilts.metrics.best_row import PRIOR_SPREAD_PP, best_probabilities, true_scores


def probabilities(means: list[float], seeds: float, *, df: int = 0, items: np.ndarray | None = None) -> np.ndarray:
    count = len(means)
    items = np.zeros((count, count)) if items is None else items
    stream = np.random.default_rng(0)
    return best_probabilities(true_scores(np.array(means), items, np.full(count, seeds), df, stream, draws=40_000))


@pytest.mark.parametrize("difference", [0.0, 1.0, 4.0, 12.0])
def test_two_rows_agree_with_the_integral_over_the_spread(difference: float) -> None:
    # The difference d of two rows is N(delta, v) and delta is N(0, 2 tau^2), tau half-Cauchy: one integral is left.
    variance = 2 * 3.0
    taus = PRIOR_SPREAD_PP * np.tan(np.pi / 2 * (np.arange(20_000) + 0.5) / 20_000)
    weights = norm.pdf(difference, scale=np.sqrt(variance + 2 * taus**2))
    shrunk = difference * 2 * taus**2 / (variance + 2 * taus**2)
    spread = np.sqrt(2 * taus**2 * variance / (variance + 2 * taus**2))
    exact = (weights * norm.cdf(shrunk / spread)).sum() / weights.sum()
    assert probabilities([50 + difference, 50.0], 3.0)[0] == pytest.approx(exact, abs=0.012)


def test_noise_that_rows_share_does_not_blur_their_order() -> None:
    shared, own = np.full((3, 3), 25.0), np.eye(3) * 0.1
    assert probabilities([52.0, 50.0, 49.0], 0.0, items=shared + own)[0] > 0.97
    assert probabilities([52.0, 50.0, 49.0], 0.0, items=np.eye(3) * 25.0)[0] < 0.6


def test_the_more_rows_compete_the_less_a_lead_says() -> None:
    few, many = [53.0, 50.0, 50.0], [53.0, *([50.0] * 12)]
    assert probabilities(many, 3.0)[0] < probabilities(few, 3.0)[0]


def test_an_uncertain_seed_variance_makes_the_answer_less_sure() -> None:
    means = [56.0, 50.0, 49.0, 51.0]
    assert probabilities(means, 3.0, df=2)[0] < probabilities(means, 3.0)[0]


def test_copies_of_one_model_share_the_first_place() -> None:
    same = np.full((2, 2), 4.0)
    assert probabilities([50.0, 50.0], 0.0, items=same) == pytest.approx([0.5, 0.5])


def test_probabilities_sum_to_one() -> None:
    assert probabilities([50.0, 51.0, 70.0, 20.0], 2.0, df=3).sum() == pytest.approx(1.0)
