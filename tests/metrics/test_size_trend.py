"""Slopes over model sizes: exact lines, and simulated drops with and without an effect built in."""

import numpy as np
import pytest

from stilts.errors import InputError
from stilts.metrics.size_trend import size_trend

# Base, Large, XL: three seeds each.
SIZES = np.repeat([278e6, 560e6, 3.5e9], 3)
SPREAD = 1.5


def test_a_line_is_found_exactly() -> None:
    trend = size_trend([1e6, 2e6, 4e6], [9.0, 7.0, 5.0])
    assert trend.slope == pytest.approx(-2.0) and trend.values == trend.sizes == 3
    assert trend.excludes_zero and trend.high == pytest.approx(-2.0)


def test_what_has_no_error_or_no_slope_is_refused() -> None:
    for sizes, values in (([1e6, 1e6, 1e6], [1.0, 2.0, 3.0]), ([1e6, 2e6], [1.0, 2.0])):
        with pytest.raises(InputError, match="three values of two sizes"):
            size_trend(sizes, values)


def found(slope: float, tables: int, seed: int) -> tuple[int, int]:
    """Of simulated tables of drops how many have a trend that is told from 0, and of those how many fall."""
    stream = np.random.default_rng(seed)
    told = falls = 0
    for _ in range(tables):
        drops = 12.0 + slope * np.log2(SIZES / SIZES[0]) + stream.normal(0.0, SPREAD, len(SIZES))
        trend = size_trend(SIZES.tolist(), drops.tolist())
        told += trend.excludes_zero
        falls += trend.excludes_zero and trend.slope < 0
    return told, falls


def smallest_visible() -> float:
    """The median over tables without an effect: each table knows only its own spread."""
    stream = np.random.default_rng(5)
    drops = [stream.normal(12.0, SPREAD, len(SIZES)).tolist() for _ in range(200)]
    return float(np.median([size_trend(SIZES.tolist(), some).smallest_visible for some in drops]))


def test_a_drop_that_falls_with_size_is_found_at_one_and_a_half_times_the_smallest_visible() -> None:
    told, falls = found(-1.5 * smallest_visible(), 200, seed=1)
    assert told >= 160 and falls == told


def test_nothing_is_found_where_nothing_is_built_in() -> None:
    for seed in (2, 3, 4):
        assert found(0.0, 200, seed=seed)[0] <= 18
