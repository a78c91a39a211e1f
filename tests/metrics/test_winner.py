"""The interval of a chosen row's gain: lower where choosing could have made it, plain where it could not."""

import numpy as np
import pytest

from stilts.metrics.metric import metric
from stilts.metrics.resampling import Side, resample
from stilts.metrics.uncertainty import gain_interval
from stilts.metrics.winner import winner_gain
from tests.metrics.simulation import cell, shared_items

ACCURACY = metric("accuracy")
SEEDS = 3


def column(scores: dict[str, float], seed: int = 0, target_sd: float = 3.0) -> dict[str, Side]:
    stream = np.random.default_rng(seed)
    difficulty = shared_items(stream, 300)
    rows = {
        name: cell(
            stream,
            difficulty,
            score=score,
            seeds=[(None if name == "none" else i, i) for i in range(SEEDS)],
            target_sd=target_sd,
        )
        for name, score in scores.items()
    }
    return resample(rows, ACCURACY, draws=300)


def highest(sides: dict[str, Side]) -> tuple[str, dict[str, float]]:
    select = {name: side.mean for name, side in sides.items()}
    return max((name for name in select if name != "none"), key=lambda name: select[name]), select


def test_among_equal_rows_the_lower_end_goes_down_and_the_rest_stays() -> None:
    sides = column({"none": 65, **{f"r{i}": 70.0 for i in range(12)}})
    winner, select = highest(sides)
    plain, counted = gain_interval(sides[winner], sides["none"]), winner_gain(sides, winner, "none", select)
    assert counted.low < plain.low
    assert (counted.estimate, counted.high, counted.p_value) == (plain.estimate, plain.high, plain.p_value)


def test_a_row_far_ahead_keeps_its_interval() -> None:
    sides = column({"none": 60, "a": 90, "b": 61, "c": 60}, target_sd=0.5)
    winner, select = highest(sides)
    plain, counted = gain_interval(sides[winner], sides["none"]), winner_gain(sides, winner, "none", select)
    assert winner == "a"
    assert counted.low == pytest.approx(plain.low, abs=0.15 * (plain.high - plain.low))


def test_with_one_row_beside_the_baseline_nothing_was_chosen() -> None:
    sides = column({"none": 60, "a": 70})
    assert winner_gain(sides, "a", "none", None) == gain_interval(sides["a"], sides["none"])


def test_without_all_selection_scores_the_plain_interval_stands() -> None:
    sides = column({"none": 60, "a": 70, "b": 70})
    assert winner_gain(sides, "a", "none", {"a": 1.0, "none": 0.0}) == gain_interval(sides["a"], sides["none"])


def test_the_same_column_gives_the_same_interval() -> None:
    sides = column({"none": 65, "a": 70, "b": 70, "c": 69})
    assert winner_gain(sides, "a", "none", None) == winner_gain(sides, "a", "none", None)


@pytest.mark.slow
def test_the_lower_end_lies_above_the_truth_as_rarely_as_it_says() -> None:
    above, plainly, studies = 0, 0, 150
    for number in range(studies):
        sides = column({"none": 70, **{f"r{i}": 70.0 for i in range(10)}}, seed=number)
        winner, select = highest(sides)
        above += winner_gain(sides, winner, "none", select).low > 0
        plainly += gain_interval(sides[winner], sides["none"]).low > 0
    print(f"above 0 where nothing is: {above / studies:.3f} counted, {plainly / studies:.3f} plain")
    assert above / studies <= 0.08
    assert above <= plainly
