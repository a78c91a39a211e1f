import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.metrics.comparison import (
    benjamini_hochberg,
    holm,
    replicates_needed,
    set_of_equals,
    variance_split,
)
from stilts.metrics.metric import metric
from stilts.metrics.resampling import Side, resample
from tests.metrics.simulation import cell, shared_items

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def sides(scores: dict[str, float], *, seed: int = 0, replicates: int = 3, target_sd: float = 1.0) -> dict[str, Side]:
    stream = np.random.default_rng(seed)
    difficulty = shared_items(stream, 500)
    cells = {
        name: cell(stream, difficulty, score=score, seeds=[(i, i) for i in range(replicates)], target_sd=target_sd)
        for name, score in scores.items()
    }
    return resample(cells, metric("accuracy"), draws=500)


def test_a_clear_winner_stands_alone() -> None:
    compared = set_of_equals(sides({"a": 60, "b": 80, "c": 58}))
    assert compared.equals == ("b",)
    assert compared.p_best["b"] > 0.99
    assert sum(compared.p_best.values()) == pytest.approx(1)
    assert not compared.conditional


def test_rows_that_differ_by_chance_stay_together() -> None:
    compared = set_of_equals(sides({"a": 70, "b": 70, "c": 50}, target_sd=2.0))
    assert set(compared.equals) == {"a", "b"}


def test_the_highest_row_is_always_among_the_equals_and_first() -> None:
    for seed in range(5):
        cells = sides({"a": 70, "b": 71, "c": 69}, seed=seed)
        assert set_of_equals(cells).equals[0] == max(cells, key=lambda name: cells[name].mean)


def test_single_replicates_compare_the_models_that_were_trained() -> None:
    assert set_of_equals(sides({"a": 70, "b": 75}, replicates=1)).conditional


def test_a_single_replicate_borrows_the_seed_variance_of_the_others() -> None:
    many, one = sides({"a": 70, "b": 70}, target_sd=4.0), sides({"c": 75.0}, replicates=1)
    assert one["c"].seeds.df == 0
    assert "a" in set_of_equals({**many, **one}).equals


def test_identical_rows_are_equal_and_share_the_first_place() -> None:
    stream = np.random.default_rng(0)
    rows = cell(stream, shared_items(stream, 100), score=70, seeds=[(None, None)])
    compared = set_of_equals(resample({"a": rows, "b": rows}, metric("accuracy"), draws=100))
    assert set(compared.equals) == {"a", "b"}
    assert compared.p_best == {"a": 0.5, "b": 0.5}


def test_known_adjustments() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.04, 0.04))


@given(P_VALUES)
def test_adjusted_p_values_keep_the_order_and_only_grow(p_values: list[float]) -> None:
    for adjusted in (holm(p_values), benjamini_hochberg(p_values)):
        assert all(p <= a + 1e-12 and a <= 1 for p, a in zip(p_values, adjusted, strict=True))
        order = sorted(range(len(p_values)), key=lambda i: p_values[i])
        assert [adjusted[i] for i in order] == sorted(adjusted)


def test_the_split_finds_which_seed_matters() -> None:
    stream = np.random.default_rng(5)
    seeds = [(i, t) for i in range(30) for t in range(4)]
    rows = cell(stream, shared_items(stream, 800), score=60, seeds=seeds, intermediate_sd=4.0, target_sd=2.0)
    split = variance_split(resample({"row": rows}, metric("accuracy"), draws=200)["row"])
    assert split.reason is None
    assert split.intermediate_seed == pytest.approx(16, rel=0.6)
    assert split.target_seed == pytest.approx(4, rel=0.6)
    assert 0 < split.examples < 3


@pytest.mark.parametrize("seeds", [[(1, 1), (2, 2)], [(None, 1), (None, 2)], [(1, 1), (1, 2), (2, 1)]])
def test_the_split_is_refused_where_the_design_does_not_allow_it(seeds: list[tuple[int | None, int]]) -> None:
    rows = cell(np.random.default_rng(0), np.zeros(50), score=60, seeds=seeds)
    split = variance_split(resample({"row": rows}, metric("accuracy"), draws=50)["row"])
    assert split.intermediate_seed is split.target_seed is None
    assert split.reason is not None
    assert split.reason.startswith("not estimable")


def test_a_smaller_gap_takes_more_replicates() -> None:
    wide, narrow = sides({"a": 70, "b": 78}, target_sd=3.0), sides({"a": 70, "b": 75}, target_sd=3.0)
    few = replicates_needed(wide["b"], wide["a"]).number
    more = replicates_needed(narrow["b"], narrow["a"]).number
    assert few is not None
    assert more is None or more >= few


def test_no_number_of_replicates_makes_up_for_too_few_items() -> None:
    cells = sides({"a": 70, "b": 70.0}, target_sd=0.1)
    assert replicates_needed(cells["a"], cells["b"]).number is None


def test_without_any_second_replicate_nothing_is_promised() -> None:
    cells = sides({"a": 70, "b": 80}, replicates=1)
    assert "not known" in replicates_needed(cells["b"], cells["a"]).reason


@pytest.mark.slow
def test_the_set_of_equals_keeps_the_best_as_often_as_it_claims() -> None:
    kept = 0
    for seed in range(200):
        kept += "a" in set_of_equals(sides({"a": 71, "b": 71, "c": 71, "d": 68}, seed=seed, target_sd=2.0)).equals
    assert kept / 200 >= 0.92
