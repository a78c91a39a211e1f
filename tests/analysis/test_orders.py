"""Measures of an order, by hand."""

from __future__ import annotations

from itertools import permutations
from math import log2

import numpy as np
import pytest

from stilts.analysis.orders import kendall, ndcg, random_ndcg, random_regret_at, regret_at

TRUTH = np.array([50.0, 60.0, 70.0, 40.0])


def test_regret_is_what_the_first_rows_lose() -> None:
    guess = np.array([3.0, 2.0, 1.0, 4.0])  # the order: 40, 50, 60, 70
    assert [regret_at(guess, TRUTH, first) for first in (1, 2, 3, 4, 5)] == [30.0, 20.0, 10.0, 0.0, 0.0]


def test_equal_guesses_keep_the_order_of_the_rows() -> None:
    assert regret_at(np.zeros(4), TRUTH, 1) == 20.0


def test_ndcg_by_hand() -> None:
    guess = np.array([3.0, 2.0, 1.0, 4.0])
    gains = [0.0, 1 / 3, 2 / 3, 1.0]  # of 40, 50, 60, 70 between the worst and the best
    found = sum(gain / log2(rank + 2) for rank, gain in enumerate(gains))
    ideal = sum(gain / log2(rank + 2) for rank, gain in enumerate(reversed(gains)))
    assert ndcg(guess, TRUTH) == pytest.approx(found / ideal)
    assert ndcg(TRUTH, TRUTH) == pytest.approx(1.0)
    assert ndcg(guess, np.ones(4)) is None


def test_kendall_by_hand() -> None:
    assert kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) == pytest.approx(1 / 3)
    assert kendall(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / np.sqrt(6))
    assert kendall(np.ones(3), TRUTH[:3]) is None


@pytest.mark.parametrize("first", [1, 2, 3, 4, 9])
def test_chance_is_the_mean_over_all_orders(first: int) -> None:
    orders = [np.array(order, float) for order in permutations(range(4))]
    expected = np.mean([regret_at(order, TRUTH, first) for order in orders])
    assert random_regret_at(TRUTH, first) == pytest.approx(expected)
    assert random_ndcg(TRUTH) == pytest.approx(np.mean([ndcg(order, TRUTH) for order in orders]))
