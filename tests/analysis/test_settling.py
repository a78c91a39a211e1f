"""What would settle an answer, and what that costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stilts.analysis.settling import advice_on
from stilts.analysis.spending import RowCost, compute_words, row_cost
from stilts.metrics.comparison import Comparison, set_of_equals
from stilts.metrics.resampling import Side
from tests.analysis.fake_store import column, record, replicate

XNLI = column("xnli", languages=("en",))
STUDY = record([], [XNLI], [])
COSTS = {"none": RowCost(intermediate_s=0.0, target_s=600.0), "a": RowCost(intermediate_s=3000.0, target_s=600.0)}


def test_what_a_target_is_learned_after_is_part_of_its_cost() -> None:
    one = replicate("a", XNLI, 0, 0)
    plain = record([], [XNLI], [one])
    first, then, before = str(one.intermediate_stage), str(one.target_stage), "train-before"
    stages = {**plain.stages, before: {**plain.stages[first], "parent": first}}
    stages[then] = {**plain.stages[then], "parent": before}
    chained = replace(plain, stages=stages, training_data={"xnli": ["multinli"]})
    seconds = {first: 30.0, then: 4.0, before: 500.0}
    assert row_cost([one], plain, seconds) == RowCost(intermediate_s=30.0, target_s=4.0)
    assert row_cost([one], chained, seconds) == RowCost(intermediate_s=30.0, target_s=504.0)
    del seconds[before]
    assert row_cost([one], chained, seconds) is None, "a stage that was not measured"


def side(scores: list[float], *, none: bool = False, item_sd: float = 0.01) -> Side:
    """A cell with these replicates; draws vary alike for all, and by ``item_sd`` for each side by itself."""
    stream = np.random.default_rng(int(1000 * sum(scores)))
    draws = np.array(scores)[:, None, None] + stream.normal(0, item_sd, (1, 1, 500))
    seeds = tuple(range(len(scores)))
    return Side(
        intermediate_seeds=(None,) * len(scores) if none else seeds,
        target_seeds=seeds,
        languages=("en",),
        scores=np.array(scores)[:, None],
        draws=draws,
    )


def advise(sides: dict[str, Side], row: str = "a", *, equals: tuple[str, ...] | None = None, claimed: bool = True):
    compared = set_of_equals(sides)
    if equals is not None:
        compared = Comparison(equals=equals, p_best=compared.p_best, conditional=compared.conditional)
    return advice_on(STUDY, XNLI, row, sides, compared, COSTS, claimed=claimed)


def test_further_seeds_are_named_and_priced() -> None:
    found = advise({"none": side([60.0, 62.0], none=True), "a": side([62.0, 64.0])}, equals=("a", "none"))
    assert found.settles
    assert found.seeds
    hours = found.seeds.get("a", 0) * 1.0 + found.seeds.get("none", 0) / 6
    assert found.hours == pytest.approx(hours)
    assert "would most likely settle it" in found.text
    assert "CPU-h," in found.text


def test_the_cheaper_row_gets_more_of_the_seeds() -> None:
    found = advise({"none": side([60.0, 62.0], none=True), "a": side([62.0, 64.0])}, equals=("a", "none"))
    assert found.seeds.get("none", 0) > found.seeds.get("a", 0)


def test_seeds_cannot_settle_what_items_leave_open() -> None:
    sides = {"none": side([60.0, 60.2], none=True, item_sd=2.0), "a": side([60.3, 60.5], item_sd=2.0)}
    found = advise(sides, equals=("a", "none"))
    assert not found.settles
    assert found.hours is None
    assert "test items are too few" in found.text


def test_a_limit_on_test_items_is_what_to_raise() -> None:
    study = record([], [XNLI], [], settings={"defaults": {"limits": {"report": 400}}})
    sides = {"none": side([60.0, 60.2], none=True, item_sd=2.0), "a": side([60.3, 60.5], item_sd=2.0)}
    compared = Comparison(equals=("a", "none"), p_best={}, conditional=False)
    text = advice_on(study, XNLI, "a", sides, compared, COSTS, claimed=True).text
    assert text.endswith("raise limits.report (400 a language)")


def test_single_replicates_ask_for_a_second_seed_of_each() -> None:
    found = advise({"none": side([60.0], none=True), "a": side([61.0])})
    assert found.seeds == {"none": 1, "a": 1}
    assert found.hours == pytest.approx((600 + 3600) / 3600)


def test_standing_alone_does_not_hide_an_unclaimed_gain() -> None:
    sides = {"none": side([60.0, 64.0], none=True), "a": side([66.0, 70.0])}
    assert advise(sides, equals=("a",)).text == "a stands alone: no more seeds are needed"
    found = advise(sides, equals=("a",), claimed=False)
    assert found.text.startswith("a stands alone among the rows, but its gain over none is not beyond chance: ")
    assert found.against == ("a", "none")


def test_a_choice_beaten_on_report_is_warned_of() -> None:
    sides = {"none": side([70.0, 70.1], none=True), "a": side([60.0, 60.1])}
    assert "do not count on this choice" in advise(sides, equals=("none",)).text


def test_gpu_hours_count_the_gpus_that_a_stage_holds() -> None:
    assert compute_words(record([], [], [], settings={"resources": {"gpus": 4}}), 3600) == "4.0 GPU-h"
    assert compute_words(record([], [], []), 1800) == "0.5 CPU-h"
