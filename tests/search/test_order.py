"""What most of the plan waits for runs first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stilts.search.order import priority_order


def test_many_descendants_then_long_then_name() -> None:
    order = priority_order(
        ["d", "b", "a", "c", "new"],
        num_descendants={"c": 5, "d": 1, "b": 1, "a": 1},
        seconds={"d": 9.0, "a": 3.0, "b": 3.0},
    )
    assert order == ["c", "d", "a", "b", "new"]


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3), st.floats(0, 3)), unique_by=lambda one: one[0]))
def test_the_order_does_not_depend_on_how_stages_are_listed(stages: list[tuple[str, int, float]]) -> None:
    counts, seconds = {s: n for s, n, _ in stages}, {s: t for s, _, t in stages}
    names = [s for s, _, _ in stages]
    first = priority_order(names, num_descendants=counts, seconds=seconds)
    assert first == priority_order(reversed(names), num_descendants=counts, seconds=seconds)
    assert sorted(first) == sorted(names)


def test_estimates_and_what_serves_them_run_first() -> None:
    names = ["train-a-1", "train-probe-2", "estimate-logme-3", "evaluate-b-4"]
    order = priority_order(names, num_descendants={"train-a-1": 9}, seconds={}, first={"train-probe-2"})
    assert order == ["estimate-logme-3", "train-probe-2", "train-a-1", "evaluate-b-4"]
