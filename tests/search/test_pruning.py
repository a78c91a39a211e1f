"""Pruning compares like with like only; every policy keeps the same contract."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from stilts.errors import InputError
from stilts.metrics.item_scores import ItemScores
from stilts.metrics.metric import FloatArray
from stilts.search.pruning import MedianRule, NoPruning, PruningRule, Ruling, SuccessiveHalving, target_score
from stilts.search.rung_history import Rung, RungHistory
from stilts.search.wilcoxon_pruning import WilcoxonRule

EMPTY = RungHistory(space="mixed", target="xnli")
POLICIES = [
    NoPruning(),
    SuccessiveHalving(),
    SuccessiveHalving(fractions=(0.1,), keep=0.2),
    MedianRule(),
    WilcoxonRule(min_items=20),
]


def answers(score: float, *, of: int = 200, items: str = "a") -> dict[str, ItemScores]:
    """So many right answers among ``of``, the first ones, that their share is about ``score``."""
    right = np.arange(of) < round((0.0 if math.isnan(score) else score) * of / 100)
    return {"en": ItemScores(items=items, scores=(100.0 * right).astype(np.float32))}


def rung(recipe: str, fraction: float, score: float) -> Rung:
    return Rung(recipe=recipe, fraction=fraction, score=score, items=answers(score))


def history(fraction: float, *scores: float) -> RungHistory:
    filled = EMPTY
    for index, score in enumerate(scores):
        filled = filled.with_rung(rung(f"recipe-{index}", fraction, score))
    return filled


def decide(policy: PruningRule, past: RungHistory, recipe: str, fraction: float, score: float) -> Ruling:
    return policy.rule(past, rung(recipe, fraction, score))


@pytest.mark.parametrize("policy", POLICIES)
class TestPolicyContract:
    def test_the_first_recipe_is_never_stopped(self, policy: PruningRule) -> None:
        for fraction in (0.1, 0.25, 0.5, 1.0):
            assert not decide(policy, EMPTY, "a", fraction, 0.0).stop

    def test_the_best_recipe_is_never_stopped(self, policy: PruningRule) -> None:
        for fraction in (0.1, 0.25, 0.5):
            assert not decide(policy, history(fraction, *range(50)), "a", fraction, 60.0).stop

    def test_a_verdict_says_why_in_a_sentence_and_is_repeatable(self, policy: PruningRule) -> None:
        past = history(0.25, 50, 60, 70)
        verdict = decide(policy, past, "a", 0.25, 40.0)
        assert verdict == decide(policy, past, "a", 0.25, 40.0)
        assert verdict.reason[0].isupper() and verdict.reason.endswith(".")

    def test_a_finished_recipe_is_never_stopped(self, policy: PruningRule) -> None:
        assert not decide(policy, history(1.0, *range(50)), "a", 1.0, 0.0).stop


def test_the_lower_half_stops_and_says_so_with_numbers() -> None:
    past = history(0.25, 50, 60, 70)
    verdict = decide(SuccessiveHalving(), past, "late", 0.25, 55.0)
    assert verdict.stop
    assert "place 3 of 4" in verdict.reason and "55.00" in verdict.reason and "60.00" in verdict.reason
    assert not decide(SuccessiveHalving(), past, "late", 0.25, 60.0).stop


def test_unequal_fractions_are_not_compared() -> None:
    past = history(0.5, 90, 91, 92, 93)
    assert not decide(SuccessiveHalving(), past, "late", 0.25, 10.0).stop
    assert not decide(SuccessiveHalving(), history(0.3, 90, 91, 92), "late", 0.3, 10.0).stop
    assert decide(SuccessiveHalving(), past, "late", 0.51, 10.0).stop


def test_the_recipes_own_earlier_score_is_replaced_and_not_a_number_stops() -> None:
    past = history(0.25, 50, 60, 70)
    assert not decide(SuccessiveHalving(), past, "recipe-2", 0.25, 71.0).stop
    assert decide(SuccessiveHalving(), past, "late", 0.25, math.nan).stop
    assert not decide(SuccessiveHalving(), history(0.25, math.nan, math.nan, 10), "late", 0.25, 1.0).stop


def test_an_intermediate_has_no_score_to_be_judged_by() -> None:
    scores = {"mnli": 80.0, "xnli": 60.0}
    assert target_score("mnli", scores, fine_tunes=None) is None
    assert target_score("mnli", scores, fine_tunes="xnli") is None
    assert target_score("xnli", scores, fine_tunes="xnli") == 60.0


@pytest.mark.parametrize("settings", [{"keep": 0.0}, {"keep": 1.0}, {"fractions": ()}, {"fractions": (1.0,)}])
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match="successive halving"):
        SuccessiveHalving(**settings)  # type: ignore[arg-type]


# --- median ---


def test_the_best_so_far_is_held_against_the_median_of_running_averages() -> None:
    past = EMPTY
    for recipe, early, late in (("a", 10, 50), ("b", 40, 60), ("c", 70, 30)):
        past = past.with_rung(rung(recipe, 0.25, early)).with_rung(rung(recipe, 0.5, late))
    # Running averages at half of the steps: 30, 50, 50.
    verdict = decide(MedianRule(), past, "late", 0.5, 49.0)
    assert verdict.stop and verdict.peers == {"a": 30.0, "b": 50.0, "c": 50.0}
    assert "49.00" in verdict.reason and "50.00" in verdict.reason and "3 other recipes" in verdict.reason
    assert not decide(MedianRule(), past, "late", 0.5, 50.0).stop
    assert not decide(MedianRule(), past.with_rung(rung("late", 0.25, 55.0)), "late", 0.5, 1.0).stop, "its best counts"
    assert not decide(MedianRule(min_recipes=5), past, "late", 0.5, 1.0).stop


def test_a_peer_that_has_not_come_so_far_is_no_peer() -> None:
    past = history(0.25, 90, 90, 90)
    assert not decide(MedianRule(), past, "late", 0.5, 1.0).stop
    assert decide(MedianRule(), past, "late", 0.25, 1.0).stop


@pytest.mark.parametrize("policy", [SuccessiveHalving(), MedianRule(), WilcoxonRule()])
def test_a_rung_is_passed_once_and_evaluated_again_it_is_judged_again(policy: PruningRule) -> None:
    past = history(0.25, 90, 91, 92).with_rung(rung("late", 0.24, 95.0))
    assert not decide(policy, past, "late", 0.26, 1.0).stop
    assert decide(policy, history(0.25, 90, 91, 92).with_rung(rung("late", 0.25, 1.0)), "late", 0.25, 1.0).stop


# --- Wilcoxon ---


def test_a_clear_loser_stops_and_the_reason_has_the_numbers() -> None:
    past = history(0.25, 80, 60)
    verdict = decide(WilcoxonRule(), past, "late", 0.25, 50.0)
    assert verdict.stop and verdict.peers == {"recipe-0": 80.0, "recipe-1": 60.0}
    for number in (
        "50.00",
        "80.00",
        "200 examples",
        "60 differ",
        "30.00 points",
        "times 2 (rungs) and 2 (recipes)",
        "0.05",
    ):
        assert number in verdict.reason
    assert not decide(WilcoxonRule(), past, "late", 0.25, 78.0).stop
    assert not decide(WilcoxonRule(), past, "late", 0.25, 80.0).stop


def test_without_enough_pairs_nothing_is_tested() -> None:
    past = history(0.25, 80)
    assert not decide(WilcoxonRule(min_items=201), past, "late", 0.25, 1.0).stop
    others = Rung(recipe="late", fraction=0.25, score=1.0, items=answers(1.0, items="b"))
    verdict = WilcoxonRule().rule(past, others)
    assert not verdict.stop and "only 0 of 50" in verdict.reason
    assert not WilcoxonRule().rule(past, Rung(recipe="late", fraction=0.25, score=1.0)).stop


def drawn(draw: np.random.Generator, recipe: str, fraction: float, ease: FloatArray) -> Rung:
    """A model's answers to items, each right with its own chance."""
    right = (100.0 * (draw.random(len(ease)) < ease)).astype(np.float32)
    items = {"en": ItemScores(items="a", scores=right)}
    return Rung(recipe=recipe, fraction=fraction, score=float(right.mean()), items=items)


def stopped(draw: np.random.Generator, policy: WilcoxonRule, *, peers: int, margin: float, items: int = 300) -> bool:
    """Whether a recipe that is worse by ``margin`` (a share) than its equal peers is stopped at one of the rungs."""
    past = EMPTY
    ease = draw.uniform(0.3, 0.9, items)
    for fraction in policy.fractions:
        for number in range(peers):
            past = past.with_rung(drawn(draw, f"peer-{number}", fraction, ease))
        late = drawn(draw, "late", fraction, ease - margin)
        if policy.rule(past, late).stop:
            return True
        past = past.with_rung(late)
    return False


@pytest.mark.parametrize("peers", [1, 5, 20])
def test_an_equally_good_recipe_stops_as_seldom_as_promised(peers: int) -> None:
    draw, tries, policy = np.random.default_rng(peers), 400, WilcoxonRule(alpha=0.1)
    false = sum(stopped(draw, policy, peers=peers, margin=0.0) for _ in range(tries))
    print(f"{peers} equal peers: {false} of {tries} stopped at alpha {policy.alpha}")
    assert false <= binom.ppf(0.999, tries, policy.alpha)


def test_a_recipe_that_is_worse_by_a_clear_margin_stops() -> None:
    draw, tries = np.random.default_rng(1), 100
    hits = sum(stopped(draw, WilcoxonRule(), peers=5, margin=0.2) for _ in range(tries))
    print(f"20 points worse: {hits} of {tries} stopped")
    assert hits >= 95


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_level_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="Wilcoxon"):
        WilcoxonRule(alpha=alpha)
