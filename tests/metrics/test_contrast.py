"""Sums of estimates that were made apart: their errors, and how often a slope is found, or where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from stilts.metrics.contrast import contrast, slope, smallest_visible
from stilts.metrics.uncertainty import Interval, t_interval

SIZES = (np.log10(2.8e8), np.log10(5.6e8), np.log10(3.5e9), np.log10(1.07e10))


def known(value: float, error: float, *, df: float | None = None, one_model: bool = False) -> Interval:
    return t_interval(value, {"items": error**2}, df, one_model=one_model, conditions=("one seed",) * one_model)


def test_a_difference_has_both_errors() -> None:
    found = contrast([known(5.0, 3.0), known(1.0, 4.0)], [1.0, -1.0])
    assert found.estimate == 4.0
    assert sum(found.components.values()) == pytest.approx(25.0)
    assert (found.low, found.high) == (pytest.approx(4.0 - 1.96 * 5, abs=0.01), pytest.approx(4.0 + 1.96 * 5, abs=0.01))


def test_degrees_of_freedom_are_those_of_the_sum() -> None:
    assert contrast([known(0.0, 1.0, df=4), known(0.0, 1.0, df=4)], [1.0, -1.0]).df == pytest.approx(8.0)
    assert contrast([known(0.0, 1.0, df=4), known(0.0, 1.0)], [1.0, 0.0]).df == pytest.approx(4.0)


def test_what_has_no_weight_puts_no_condition() -> None:
    one = known(9.0, 1.0, one_model=True)
    assert contrast([known(1.0, 1.0), one], [1.0, 0.0]).one_model is False
    weighed = contrast([known(1.0, 1.0), one], [0.5, 0.5])
    assert weighed.one_model and weighed.claim_p == 1.0 and weighed.conditions == ("one seed",)


def test_a_slope_is_that_of_least_squares_and_needs_two_places() -> None:
    values = [1.0, 2.5, 2.0, 4.0]
    found = slope([known(value, 0.5) for value in values], SIZES)
    assert found is not None and found.estimate == pytest.approx(np.polyfit(SIZES, values, 1)[0])
    assert slope([known(1.0, 1.0)], [3.0]) is None and slope([known(1.0, 1.0)] * 2, [3.0, 3.0]) is None


@pytest.mark.parametrize(("times", "least", "most"), [(0.0, 0, 18), (1.5, 160, 200)])
def test_a_built_in_slope_is_found_and_none_where_there_is_none(times: float, least: int, most: int) -> None:
    rng, errors, df = np.random.default_rng(5), (1.2, 0.9, 0.8, 1.1), 4
    usual = slope([known(0.0, error, df=df) for error in errors], SIZES)
    assert usual is not None
    built = times * smallest_visible(usual, 0.05)
    shown = 0
    for _ in range(200):
        estimates = []
        for place, error in zip(SIZES, errors, strict=True):
            estimated = error * np.sqrt(rng.chisquare(df) / df)  # a variance over df + 1 seeds is itself estimated
            estimates.append(known(built * place + rng.normal(0.0, error), float(estimated), df=df))
        found = slope(estimates, SIZES)
        assert found is not None
        shown += found.p_value <= 0.05
    assert least <= shown <= most
