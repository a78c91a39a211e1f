"""Mean ranks and Spearman's coefficient against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from stilts.metrics.ranks import mean_ranks, spearman


@pytest.mark.parametrize("ties", [1, 3, 50])
def test_they_are_scipys_with_ties_too(ties: int) -> None:
    draw = np.random.default_rng(ties)
    one, other = draw.integers(0, 100 // ties, 40) * 1.0, draw.integers(0, 100 // ties, 40) * 1.0
    assert mean_ranks(one) == pytest.approx(rankdata(one))
    assert spearman(one, other) == pytest.approx(float(spearmanr(one, other).statistic))


def test_a_constant_side_has_no_correlation() -> None:
    assert spearman(np.ones(5), np.arange(5.0)) is None and spearman(np.arange(5.0), np.ones(5)) is None
