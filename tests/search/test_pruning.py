"""Pruning compares like with like only; every policy keeps the same contract."""

from __future__ import annotations

import math

import pytest

from stilts.errors import InputError
from stilts.search.pruning import NoPruning, PruningPolicy, RungHistory, SuccessiveHalving, target_score

EMPTY = RungHistory(space="mixed", target="xnli")


def history(fraction: float, *scores: float) -> RungHistory:
    filled = EMPTY
    for index, score in enumerate(scores):
        filled = filled.with_score(f"recipe-{index}", fraction, score)
    return filled


@pytest.mark.parametrize("policy", [NoPruning(), SuccessiveHalving(), SuccessiveHalving(fractions=(0.1,), keep=0.2)])
class TestPolicyContract:
    def test_the_first_recipe_is_never_stopped(self, policy: PruningPolicy) -> None:
        for fraction in (0.1, 0.25, 0.5, 1.0):
            assert not policy.decide(EMPTY, "a", fraction, 0.0).stop

    def test_the_best_recipe_is_never_stopped(self, policy: PruningPolicy) -> None:
        for fraction in (0.1, 0.25, 0.5):
            assert not policy.decide(history(fraction, *range(50)), "a", fraction, 60.0).stop

    def test_a_verdict_says_why_in_a_sentence_and_is_repeatable(self, policy: PruningPolicy) -> None:
        past = history(0.25, 50, 60, 70)
        verdict = policy.decide(past, "a", 0.25, 40.0)
        assert verdict == policy.decide(past, "a", 0.25, 40.0)
        assert verdict.reason[0].isupper() and verdict.reason.endswith(".")

    def test_a_finished_recipe_is_never_stopped(self, policy: PruningPolicy) -> None:
        assert not policy.decide(history(1.0, *range(50)), "a", 1.0, 0.0).stop


def test_the_lower_half_stops_and_says_so_with_numbers() -> None:
    past = history(0.25, 50, 60, 70)
    verdict = SuccessiveHalving().decide(past, "late", 0.25, 55.0)
    assert verdict.stop
    assert "place 3 of 4" in verdict.reason and "55.00" in verdict.reason and "60.00" in verdict.reason
    assert not SuccessiveHalving().decide(past, "late", 0.25, 60.0).stop


def test_unequal_fractions_are_not_compared() -> None:
    past = history(0.5, 90, 91, 92, 93)
    assert not SuccessiveHalving().decide(past, "late", 0.25, 10.0).stop
    assert not SuccessiveHalving().decide(history(0.3, 90, 91, 92), "late", 0.3, 10.0).stop
    assert SuccessiveHalving().decide(past, "late", 0.51, 10.0).stop


def test_the_recipes_own_earlier_score_is_replaced_and_not_a_number_stops() -> None:
    past = history(0.25, 50, 60, 70)
    assert not SuccessiveHalving().decide(past, "recipe-2", 0.25, 71.0).stop
    assert SuccessiveHalving().decide(past, "late", 0.25, math.nan).stop
    assert not SuccessiveHalving().decide(history(0.25, math.nan, math.nan, 10), "late", 0.25, 1.0).stop


def test_an_intermediate_has_no_score_to_be_judged_by() -> None:
    scores = {"mnli": 80.0, "xnli": 60.0}
    assert target_score("mnli", scores, fine_tunes=None) is None
    assert target_score("mnli", scores, fine_tunes="xnli") is None
    assert target_score("xnli", scores, fine_tunes="xnli") == 60.0


@pytest.mark.parametrize("settings", [{"keep": 0.0}, {"keep": 1.0}, {"fractions": ()}, {"fractions": (1.0,)}])
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match="successive halving"):
        SuccessiveHalving(**settings)  # type: ignore[arg-type]
