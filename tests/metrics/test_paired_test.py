"""The one-sided paired test: which side it finds, what zeros and ties are worth, and its level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from stilts.metrics.paired_test import wilcoxon_worse


def test_only_the_worse_side_is_found() -> None:
    worse, better = np.zeros(20), np.full(20, 100.0)
    assert wilcoxon_worse(worse, better).p < 1e-4 and wilcoxon_worse(worse, better).gap == 100.0
    assert wilcoxon_worse(better, worse).p > 0.99


def test_equal_models_and_no_items_show_nothing() -> None:
    for ours in (np.ones(10), np.empty(0)):
        test = wilcoxon_worse(ours, ours)
        assert (test.p, test.differing, test.gap) == (1.0, 0, 0.0)


def test_pairs_that_do_not_differ_say_nothing() -> None:
    ours, theirs = np.array([0.0, 0, 0, 0, 0, 100]), np.array([100.0, 100, 100, 100, 100, 0])
    padded = wilcoxon_worse(np.r_[ours, np.ones(500)], np.r_[theirs, np.ones(500)])
    assert padded.p == wilcoxon_worse(ours, theirs).p and (padded.pairs, padded.differing) == (506, 6)


@pytest.mark.parametrize(("losses", "wins"), [(9, 1), (30, 15), (120, 90)])
def test_right_or_wrong_alone_makes_it_the_sign_test(losses: int, wins: int) -> None:
    ours = np.r_[np.zeros(losses), np.full(wins, 100.0)]
    exact = binomtest(losses, losses + wins, alternative="greater").pvalue
    assert wilcoxon_worse(ours, 100.0 - ours).p == pytest.approx(exact, rel=1e-9)


def test_its_level_holds() -> None:
    draw, false, tries = np.random.default_rng(0), 0, 1000
    for _ in range(tries):
        ease = draw.random(120)
        ours, theirs = (100.0 * (draw.random(120) < ease) for _ in range(2))
        false += wilcoxon_worse(ours, theirs).p <= 0.05
    assert false <= binom.ppf(0.999, tries, 0.05)
