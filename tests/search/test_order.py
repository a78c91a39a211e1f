"""What has the longest way behind it runs first, and the whole of a plan ends sooner for it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Mapping
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.search.order import priority_order
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from tests.study.toy_study import resolved, write_encoder_folder

ROWS = ("mnli", "squad", "hellaswag", "commonsenseqa")


def test_the_longest_way_then_descendants_then_name() -> None:
    order = priority_order(
        ["d", "b", "a", "c", "new"],
        to_end={"c": 5.0, "d": 9.0, "a": 3.0, "b": 3.0},
        num_descendants={"c": 9, "d": 1, "b": 2, "a": 1},
    )
    assert order == ["d", "c", "b", "a", "new"]


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3), st.floats(0, 3)), unique_by=lambda one: one[0]))
def test_the_order_does_not_depend_on_how_stages_are_listed(stages: list[tuple[str, int, float]]) -> None:
    counts, seconds = {s: n for s, n, _ in stages}, {s: t for s, _, t in stages}
    names = [s for s, _, _ in stages]
    first = priority_order(names, num_descendants=counts, to_end=seconds)
    assert first == priority_order(reversed(names), num_descendants=counts, to_end=seconds)
    assert sorted(first) == sorted(names)


def test_estimates_and_what_serves_them_run_first() -> None:
    names = ["train-a-1", "train-probe-2", "estimate-logme-3", "evaluate-b-4"]
    order = priority_order(names, num_descendants={}, to_end={"train-a-1": 9.0}, first={"train-probe-2"})
    assert order == ["estimate-logme-3", "train-probe-2", "train-a-1", "evaluate-b-4"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Four rows of two seeds with two columns, and the baseline."""
    folder = tmp_path_factory.mktemp("study")
    write_encoder_folder(folder / "tiny")
    rows, columns = {"none": None, **dict.fromkeys(ROWS)}, dict.fromkeys(("xnli", "udpos"))
    return make_plan(resolved(folder, intermediates=rows, targets=columns, replicates={"default": {"count": 2}}))


def test_the_way_to_the_end_is_that_of_what_is_to_be_run(plan: Plan) -> None:
    [one, *_] = [one for one in plan.replicates if (one.row, one.column) == ("squad", "xnli")]
    row, tune, evaluate = str(one.intermediate_stage), str(one.target_stage), one.evaluate_stage
    left = {stage_id: 1.0 for stage_id in plan.with_below([row])}
    assert plan.seconds_to_end(left)[row] == 3.0 and plan.seconds_to_end(left).keys() == left.keys()
    assert plan.seconds_to_end({**left, evaluate: 10.0})[row] == 12.0
    del left[evaluate], left[tune]
    assert plan.seconds_to_end({**left, row: 5.0})[row] == 7.0, "its other column"


Rank = Callable[[list[str]], list[str]]


def hours(plan: Plan, seconds: dict[str, float], slots: int, order: Rank) -> float:
    """How long a plan takes where so many stages run at once and each next one is the first of the ready ones."""
    needed, running, ending, now = dict.fromkeys(plan.stages), set[str](), list[tuple[float, str]](), 0.0
    while needed:
        for stage_id in order(plan.ready(needed, running))[: slots - len(running)]:
            running.add(stage_id)
            heapq.heappush(ending, (now + seconds[stage_id], stage_id))
        now, ended = heapq.heappop(ending)
        running.discard(ended)
        needed.pop(ended)
    return now / 3600


def by_descendants(ready: list[str], plan: Plan, expected: Mapping[str, float]) -> list[str]:
    """The order of before: how many stages wait, then how long it takes itself."""
    return sorted(ready, key=lambda one: (-plan.descendants[one], -expected[one], one))


def by_way(ready: list[str], plan: Plan, expected: Mapping[str, float]) -> list[str]:
    return priority_order(ready, to_end=plan.seconds_to_end(expected), num_descendants=plan.descendants)


@pytest.mark.parametrize(("slots", "less"), [(2, 1.001), (4, 0.9)])
def test_a_long_row_of_which_one_column_is_asked_does_not_end_alone(plan: Plan, slots: int, less: float) -> None:
    """As a policy asks for cells; where all columns of each row are asked for, both orders do the same."""
    few = plan.only([one for one in plan.replicates if (one.row, one.column) != ("squad", "udpos")])
    rows = {one.intermediate_stage: one.row for one in few.replicates}
    took = {by_way: 0.0, by_descendants: 0.0}
    for seed in range(10):
        draw = random.Random(seed)
        expected = {one: 900.0 if one.startswith("train") else 60.0 for one in few.stages}
        expected |= {one: 18000.0 if rows[one] == "squad" else 3000.0 for one in few.stages if one in rows}
        real = {one: each * draw.uniform(0.7, 1.4) for one, each in expected.items()}
        for order in took:
            took[order] += hours(few, real, slots, partial(order, plan=few, expected=expected)) / 10
    print(f"{slots} slots: {took[by_way]:.2f} h, by descendants {took[by_descendants]:.2f} h")
    assert took[by_way] < less * took[by_descendants]
