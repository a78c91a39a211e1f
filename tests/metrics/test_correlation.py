"""Correlation from sums: what scipy says, and how it behaves where there is nothing to correlate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from stilts.errors import InputError
from stilts.metrics.correlation import correlation_rows
from stilts.metrics.metric import metric

PEARSON = metric("pearson")
VALUES = st.lists(st.tuples(st.integers(0, 25), st.integers(-400, 400)), min_size=3, max_size=40)


def sums(gold: list[float], predicted: list[float]) -> dict[str, float]:
    totals = correlation_rows(gold, predicted).sum(axis=0).tolist()
    return dict(zip(PEARSON.columns, totals, strict=True))


@given(VALUES)
def test_both_coefficients_are_scipys(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = [x / 5 for x, _ in pairs], [y / 100 for _, y in pairs]
    parts = PEARSON.parts(sums(gold, predicted))
    if len(set(gold)) == 1 or len(set(predicted)) == 1:
        assert parts == {"pearson": 0.0, "spearman": 0.0}
        return
    assert parts["pearson"] == pytest.approx(100 * pearsonr(gold, predicted).statistic, abs=1e-7)
    assert parts["spearman"] == pytest.approx(100 * spearmanr(gold, predicted).statistic, abs=1e-7)
    assert PEARSON.score(sums(gold, predicted)) == pytest.approx(np.clip(parts["pearson"], 0, 100))


def test_a_model_that_says_one_number_scores_nothing() -> None:
    assert PEARSON.score(sums([0.0, 1.0, 5.0], [2.1, 2.1, 2.1])) == 0.0


def test_arrays_of_sums_give_arrays_of_scores() -> None:
    rows = correlation_rows([0.0, 1.0, 5.0, 3.0], [1.0, 0.0, 4.0, 3.0])
    weights = np.array([[1.0, 1, 1, 1], [2, 0, 1, 1]])
    columns = dict(zip(PEARSON.columns, (weights @ rows).T, strict=True))
    scores = np.asarray(PEARSON.score(columns))
    assert scores.shape == (2,)
    assert scores[1] == pytest.approx(100 * np.corrcoef([0, 0, 5, 3], [1, 1, 4, 3])[0, 1])


def test_an_unlabelled_example_is_refused() -> None:
    with pytest.raises(InputError, match="None"):
        correlation_rows([1.0, None], [1.0, 2.0])  # type: ignore[list-item]
