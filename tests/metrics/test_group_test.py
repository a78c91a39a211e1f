"""The language lens's statistics against simulated studies on the families of XTREME's languages."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from stilts.metrics.family_model import family_model
from stilts.metrics.group_test import Status, _standard_ranks, group_test, trend_test

# Families of XTREME's 39 target languages by size, and in each the number of languages of a group that cuts through.
SIZES = (15, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1)
INSIDE = (6, 3, 2, 0, 1, 2, 0, 1, 0, 1, 0, 1, 0, 1)
FAMILIES = np.repeat(np.arange(len(SIZES)), SIZES)
NAMES = [f"family {number}" for number in FAMILIES]
COUNT = len(FAMILIES)
CUTTING = np.concatenate([np.arange(size) < inside for size, inside in zip(SIZES, INSIDE, strict=True)])
WHOLE = np.isin(FAMILIES, (1, 3, 5, 7, 9, 11, 13))


def labels(inside: np.ndarray) -> list[str]:
    return ["inside" if value else "outside" for value in inside]


def simulated(stream: np.random.Generator, tau: float, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Gains with a family effect and two covariates that matter, one of them alike within families; no group effect."""
    covariates = stream.normal(size=(COUNT, 2))
    covariates[:, 1] += stream.normal(size=len(SIZES))[FAMILIES]
    noise = tau * stream.normal(size=len(SIZES))[FAMILIES] + sigma * stream.normal(size=COUNT)
    return covariates @ np.array([1.0, 0.5]) + noise, covariates


def p_of(gains: np.ndarray, inside: np.ndarray, covariates: np.ndarray, seed: int) -> float:
    """The group's p value, without the smallest visible effect, which takes longer."""
    model = family_model(gains, NAMES, covariates, permutations=199, seed=seed)
    found = model.effects(inside.astype(float))
    assert found is not None
    sizes = np.abs(found.t_values)
    return float((sizes >= sizes[0] - 1e-9).mean())


@pytest.mark.parametrize(("tau", "sigma"), [(0.0, 2.0), (2.0, 2.0), (3.0, 1.0)])
@pytest.mark.parametrize("inside", [CUTTING, WHOLE], ids=["cuts families", "whole families"])
def test_no_more_than_seven_in_a_hundred_null_studies_show_a_group(
    tau: float, sigma: float, inside: np.ndarray
) -> None:
    stream, studies = np.random.default_rng(4), 800
    found = sum(p_of(*_with(simulated(stream, tau, sigma), inside), seed) <= 0.05 for seed in range(studies))
    assert 0.02 <= found / studies <= 0.07


def _with(study: tuple[np.ndarray, np.ndarray], inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return study[0], inside, study[1]


def test_ignoring_families_would_find_what_is_not_there() -> None:
    stream, studies = np.random.default_rng(5), 200
    alone = [str(number) for number in range(COUNT)]
    found = 0
    for seed in range(studies):
        gains, covariates = simulated(stream, 3.0, 1.0)
        found += group_of_alone(gains, covariates, alone, seed) <= 0.05
    assert found / studies > 0.1


def group_of_alone(gains: np.ndarray, covariates: np.ndarray, alone: list[str], seed: int) -> float:
    found = family_model(gains, alone, covariates, permutations=199, seed=seed).effects(WHOLE.astype(float))
    assert found is not None
    return float((np.abs(found.t_values) >= abs(found.t_values[0])).mean())


@pytest.mark.parametrize("inside", [CUTTING, WHOLE], ids=["cuts families", "whole families"])
def test_a_known_effect_is_found_and_the_smallest_visible_one_in_about_four_of_five(inside: np.ndarray) -> None:
    stream = np.random.default_rng(6)
    visible = []
    for seed in range(30):
        gains, covariates = simulated(stream, 1.0, 2.0)
        [found] = group_test(gains, labels(inside), NAMES, covariates, permutations=299, seed=seed).differences
        assert found.smallest_visible is not None
        visible.append(found.smallest_visible)
    effect = float(np.mean(visible))

    def power(size: float) -> float:
        hits = 0
        for seed in range(150):
            gains, covariates = simulated(stream, 1.0, 2.0)
            hits += p_of(gains + size * inside, inside, covariates, seed) <= 0.05
        return hits / 150

    assert 0.65 <= power(effect) <= 0.92
    assert power(2 * effect) >= 0.97


def test_a_difference_is_stated_in_points_given_covariates() -> None:
    stream = np.random.default_rng(7)
    gains, covariates = simulated(stream, 0.2, 0.1)
    result = group_test(gains + 5.0 * CUTTING, labels(CUTTING), NAMES, covariates)
    [found] = result.differences
    assert found.adjusted == pytest.approx(5.0, abs=0.3)
    assert found.status is Status.DECIDED
    assert found.p_adjusted == found.p_value == pytest.approx(1 / 10_001)
    assert (found.num_languages, found.num_other_languages) == (int(CUTTING.sum()), int((~CUTTING).sum()))
    assert (found.num_families, found.num_other_families) == (9, 10)
    assert result.omnibus.status is Status.DECIDED
    assert {mean.group for mean in result.means} == {"inside", "outside"}


def test_fewer_than_six_families_on_a_side_claim_nothing() -> None:
    few = np.isin(FAMILIES, (9, 10, 11, 12, 13))
    gains = np.random.default_rng(8).normal(size=COUNT) + 50.0 * few
    result = group_test(gains, labels(few), NAMES)
    [found] = result.differences
    assert found.status is Status.DESCRIPTIVE
    assert (found.p_value, found.p_adjusted, found.smallest_visible) == (None, None, None)
    assert abs(found.difference) > 45
    assert found.reason in (
        "5 families in it, 6 are needed on each side",
        "5 families outside, 6 are needed on each side",
    )
    assert result.omnibus.status is Status.DESCRIPTIVE


def test_several_groups_are_adjusted_for_one_another_and_small_ones_stay_out() -> None:
    kinds = ["a", "b", "c"]
    groups = [kinds[number % 3] if number % 7 else "rare" for number in range(COUNT)]
    gains = np.random.default_rng(9).normal(size=COUNT)
    gains += 4.0 * np.array([group == "a" for group in groups])
    result = group_test(gains, groups, NAMES)
    by_name = {item.group: item for item in result.differences}
    assert set(by_name) == {"a", "b", "c", "rare"}
    assert by_name["a"].status is Status.DECIDED
    tested = [item for item in result.differences if item.p_value is not None]
    assert all(item.p_adjusted >= item.p_value for item in tested)  # type: ignore[operator]
    assert set(result.omnibus.groups) <= set(by_name)
    assert result.omnibus.p_value is not None and result.omnibus.p_value < 0.01


def test_permutations_keep_a_family_together() -> None:
    gains = np.arange(float(COUNT)) ** 1.5
    model = family_model(gains, NAMES, permutations=50)
    deviations = model.draws - np.stack([_means(row) for row in model.draws])
    observed = deviations[0]
    for row in deviations[1:]:
        for number in range(len(SIZES)):
            mine = number == FAMILIES
            assert np.allclose(np.sort(row[mine]), np.sort(observed[mine]))


def _means(row: np.ndarray) -> np.ndarray:
    return (np.bincount(FAMILIES, row) / np.bincount(FAMILIES))[FAMILIES]


def test_a_trend_by_ranks() -> None:
    stream = np.random.default_rng(10)
    values = stream.normal(size=COUNT)
    found = trend_test(np.exp(values) + 0.1 * stream.normal(size=COUNT), values, NAMES)
    assert found.status is Status.DECIDED
    assert found.correlation is not None and found.correlation > 0.9
    nothing = trend_test(stream.normal(size=COUNT), values, NAMES)
    assert nothing.status is Status.UNDECIDED
    assert nothing.smallest_visible is not None and 0.2 < nothing.smallest_visible <= 1
    few = trend_test(values[:5], values[:5], ["a", "b", "c", "c", "c"])
    assert (few.status, few.p_value, few.correlation) == (Status.DESCRIPTIVE, None, pytest.approx(1.0))
    assert trend_test(np.zeros(9), values[:9], NAMES[:9]).correlation is None


def test_null_trends_of_family_wide_properties_are_rarely_found() -> None:
    stream, studies, found = np.random.default_rng(11), 400, 0
    for seed in range(studies):
        gains, _ = simulated(stream, 2.0, 1.0)
        values = stream.normal(size=len(SIZES))[FAMILIES] + 0.5 * stream.normal(size=COUNT)
        model = family_model(np.argsort(np.argsort(gains)).astype(float), NAMES, permutations=199, seed=seed)
        effects = model.effects(np.argsort(np.argsort(values)).astype(float))
        assert effects is not None
        found += (np.abs(effects.t_values) >= abs(effects.t_values[0]) - 1e-9).mean() <= 0.05
    assert found / studies <= 0.07


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_gains_that_are_all_alike_show_nothing(value: float) -> None:
    [found] = group_test(np.full(COUNT, value), labels(CUTTING), NAMES, permutations=99).differences
    assert (found.status, found.difference, found.p_value) == (Status.UNDECIDED, 0.0, 1.0)


def test_the_same_study_gives_the_same_figures() -> None:
    gains, covariates = simulated(np.random.default_rng(12), 1.0, 1.0)
    one, two = (group_test(gains, labels(CUTTING), NAMES, covariates, seed=3) for _ in range(2))
    assert one == two


def test_forty_languages_take_well_under_a_second() -> None:
    gains, covariates = simulated(np.random.default_rng(13), 1.0, 1.0)
    group_test(gains, labels(CUTTING), NAMES, covariates, permutations=100)
    start = time.perf_counter()
    group_test(gains, labels(CUTTING), NAMES, covariates, permutations=10_000)
    assert time.perf_counter() - start < 1.0


@given(st.lists(st.integers(-3, 3), min_size=3, max_size=30).filter(lambda values: len(set(values)) > 1))
def test_ties_share_their_mean_rank(values: list[int]) -> None:
    expected = rankdata(values)
    found = _standard_ranks(np.array(values, np.float64))
    assert np.allclose(found, (expected - expected.mean()) / expected.std())
