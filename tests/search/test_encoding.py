"""The way of a proposal to Optuna and back: nothing lost, equal recipes equal, the simplex drawn evenly."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from stilts.errors import InputError
from stilts.search.encoding import decode, distributions, encode
from stilts.study.search_space import (
    Choices,
    FloatRange,
    IntRange,
    OneOf,
    Range,
    SearchSpace,
    Simplex,
    SubsetOf,
    Within,
)

TASKS = ("mnli", "squad", "hellaswag", "plain", "udpos")


def drawn_from(space: SearchSpace, draw: random.Random) -> dict[str, Any]:
    """What a random sampler would draw."""
    return {name: _value(kind, draw) for name, kind in distributions(space).items()}


def _value(kind: BaseDistribution, draw: random.Random) -> Any:
    if isinstance(kind, CategoricalDistribution):
        return draw.choice(kind.choices)
    if isinstance(kind, IntDistribution):
        return draw.randint(kind.low, kind.high)
    assert isinstance(kind, FloatDistribution)
    if kind.step is not None:
        return kind.low + kind.step * draw.randint(0, round((kind.high - kind.low) / kind.step))
    return draw.choice([kind.low, kind.high, *(draw.uniform(kind.low, kind.high) for _ in range(6))])


def simplex(count: int = 3) -> SearchSpace:
    return SearchSpace(params={"weights": Simplex(tasks=tuple(f"t{i}" for i in range(count)))})


RANGES: st.SearchStrategy[Range] = st.one_of(
    st.builds(FloatRange, low=st.just(1e-6), high=st.sampled_from([1e-5, 1e-2, 1.0]), log=st.booleans()),
    st.builds(FloatRange, low=st.sampled_from([0.0, 0.05]), high=st.sampled_from([0.3, 1.0]), step=st.just(0.01)),
    st.builds(IntRange, low=st.integers(1, 9), high=st.integers(10, 5000), log=st.booleans()),
    st.just(Choices(values=(0.0, 1, None, ["en", "de"]))),
    st.integers(2, 5).map(lambda count: Simplex(tasks=TASKS[:count])),
    st.integers(1, 3).map(lambda low: SubsetOf(tasks=TASKS, low=low, high=3)),
)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Any ranges, in which each number may depend on earlier ones."""
    params = {f"p{number}": values for number, values in enumerate(draw(st.lists(RANGES, min_size=1, max_size=5)))}
    names = draw(st.permutations(list(params)))
    when: dict[str, dict[str, OneOf | Within]] = {}
    for place, name in enumerate(names):
        others = [other for other in names[:place] if isinstance(params[other], FloatRange | IntRange)]
        if others and draw(st.booleans()):
            values = params[draw(st.sampled_from(others))]
            assert isinstance(values, FloatRange | IntRange)
            middle = (values.low + values.high) / 2
            when[name] = {draw(st.sampled_from(others)): Within(low=values.low, high=middle)}
    return SearchSpace(params=params, when=when)


@settings(max_examples=200, deadline=None)
@given(space=spaces(), seed=st.integers(0, 10**6))
def test_a_proposal_survives_the_way_to_optuna_and_back(space: SearchSpace, seed: int) -> None:
    params = decode(space, drawn_from(space, random.Random(seed)))
    told = encode(space, params)
    kinds = distributions(space)
    assert set(told) <= set(kinds) and all(kinds[name]._contains(_inner(kinds[name], told[name])) for name in told)
    # What does not apply is not told; a sampler draws it all the same, and it says nothing.
    anything = drawn_from(space, random.Random(seed + 1))
    assert decode(space, {**anything, **told}) == params
    assert encode(space, decode(space, {**anything, **told})) == told


def _inner(kind: BaseDistribution, value: Any) -> float:
    return kind.to_internal_repr(value)


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(st.integers(0, 100), min_size=1, max_size=99), count=st.integers(2, 100))
def test_any_rounded_weights_of_up_to_a_hundred_tasks_are_told_exactly(parts: list[int], count: int) -> None:
    space = simplex(count)
    cuts = sorted([0, *parts[: count - 1], 100])
    counts = [high - low for low, high in pairwise(cuts)]
    weights = {f"t{i}": round(part / 100, 10) for i, part in enumerate(counts) if part}
    assert decode(space, encode(space, {"weights": weights})) == {"weights": weights}


def test_weights_are_even_on_the_simplex() -> None:
    draw, count, number = random.Random(5), 4, 20_000
    tasks = tuple(f"t{i}" for i in range(count))
    space = SearchSpace(params={"weights": Simplex(tasks=tasks, step=1e-6)})
    flags = {f"weights.with_{task}": True for task in tasks}
    drawn = [
        decode(space, flags | {f"weights.left_{task}": draw.random() for task in tasks[:-1]})["weights"]
        for _ in range(number)
    ]
    # Dirichlet(1, ..., 1): mean 1 / K, variance (K - 1) / (K^2 (K + 1)), covariance -1 / (K^2 (K + 1)).
    variance, covariance = 3 / 80, -1 / 80
    columns = [[float(weights.get(task, 0.0)) for weights in drawn] for task in tasks]  # type: ignore[union-attr,arg-type]
    means = [math.fsum(column) / number for column in columns]
    for i in range(count):
        assert means[i] == pytest.approx(1 / count, abs=4 * math.sqrt(variance / number))
        for j in range(i + 1):
            pairs = zip(columns[i], columns[j], strict=True)
            moment = math.fsum((a - means[i]) * (b - means[j]) for a, b in pairs) / number
            assert moment == pytest.approx(variance if i == j else covariance, abs=0.0015)


def test_a_task_can_be_left_out_and_leaving_out_all_leaves_out_none() -> None:
    space = simplex(3)
    left = {"weights.left_t0": 0.25, "weights.left_t1": 0.4}
    every = decode(space, {**left, **{f"weights.with_t{i}": True for i in range(3)}})
    assert every == {"weights": {"t0": 0.5, "t1": 0.3, "t2": 0.2}}
    without = decode(space, {**left, "weights.with_t0": False, "weights.with_t1": True, "weights.with_t2": True})
    assert without == {"weights": {"t1": 0.6, "t2": 0.4}}
    assert decode(space, {**left, **{f"weights.with_t{i}": False for i in range(3)}}) == every
    one = decode(space, {"weights.left_t0": 0.0, "weights.left_t1": 0.5} | _flags(False, True, True))
    assert one == {"weights": {"t1": 0.5, "t2": 0.5}}, "the task that is left out had it all"


def _flags(*values: bool) -> dict[str, bool]:
    return {f"weights.with_t{i}": value for i, value in enumerate(values)}


def test_equal_recipes_are_told_equally_however_they_were_drawn() -> None:
    space = simplex(3)
    drawn = [
        {"weights.left_t0": 1.0, "weights.left_t1": 0.5} | _flags(True, True, True),
        {"weights.left_t0": 0.3, "weights.left_t1": 0.5} | _flags(False, True, True),
        {"weights.left_t0": 0.0, "weights.left_t1": 0.7} | _flags(False, True, True),
    ]
    told = [encode(space, decode(space, each)) for each in drawn]
    assert told[0] == told[1] == told[2]
    assert told[0] == {"weights.left_t0": 1.0, "weights.left_t1": 0.5} | _flags(False, True, True)


def test_a_subset_is_the_highest_scores_in_the_order_of_the_tasks() -> None:
    space = SearchSpace(params={"subset": SubsetOf(tasks=TASKS, low=1, high=3)})
    scores = {f"subset.score_{task}": score for task, score in zip(TASKS, (0.2, 0.9, 0.1, 0.5, 0.5), strict=True)}
    for count, wanted in ((1, ["squad"]), (2, ["squad", "plain"]), (3, ["squad", "plain", "udpos"])):
        params = decode(space, {**scores, "subset.count": count})
        assert params == {"subset": wanted}
        assert decode(space, encode(space, params)) == params
    fixed = SearchSpace(params={"subset": SubsetOf(tasks=TASKS, low=2, high=2)})
    assert "subset.count" not in distributions(fixed) and decode(fixed, scores) == {"subset": ["squad", "plain"]}


CHAIN = SearchSpace(
    params={
        "warmup_frac": FloatRange(low=0.01, high=0.2),
        "cap": IntRange(low=10, high=1000),
        "temperature": FloatRange(low=1.0, high=5.0),
    },
    when={"warmup_frac": {"cap": Within(low=10, high=100)}, "cap": {"temperature": Within(low=2.0, high=5.0)}},
)


@pytest.mark.parametrize(
    ("temperature", "cap", "carried"),
    [
        (3.0, 50, {"temperature", "cap", "warmup_frac"}),
        (3.0, 500, {"temperature", "cap"}),
        (1.5, 50, {"temperature"}),
    ],
)
def test_a_chain_of_conditions_carries_what_applies(temperature: float, cap: int, carried: set[str]) -> None:
    params = decode(CHAIN, {"temperature": temperature, "cap": cap, "warmup_frac": 0.1})
    assert set(params) == set(encode(CHAIN, params)) == carried
    assert list(params) == [name for name in CHAIN.params if name in carried], "in the order of the space"


def test_a_condition_may_list_values() -> None:
    space = SearchSpace(
        params={"steps": Choices(values=(100, 200, 300)), "warmup_frac": FloatRange(low=0.1, high=0.2)},
        when={"warmup_frac": {"steps": OneOf(values=(100, 300))}},
    )
    assert [set(decode(space, {"steps": steps, "warmup_frac": 0.1})) for steps in ("100", "200", "300")] == [
        {"steps", "warmup_frac"},
        {"steps"},
        {"steps", "warmup_frac"},
    ]


def test_proposals_that_were_recorded_before_inclusion_flags_are_still_told() -> None:
    old = {"learning_rate": 3.16e-4, "weights": {"squad": 0.38, "hellaswag": 0.62}}
    space = SearchSpace(
        params={"learning_rate": FloatRange(low=1e-4, high=1e-3, log=True), "weights": Simplex(tasks=TASKS[:3])}
    )
    assert decode(space, encode(space, old)) == old


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "no value"),
        ({"temperature": 1.5, "cap": 50}, "where it is not drawn"),
        ({"temperature": 9.0}, "not between"),
        ({"temperature": True}, "not between"),
    ],
)
def test_what_is_not_of_the_space_is_refused(params: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        encode(CHAIN, params)


@pytest.mark.parametrize("value", [None, {}, {"other": 1.0}, {"t0": "1"}, {"t0": -1.0}, ["t0"]])
def test_weights_of_other_tasks_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match="another search space"):
        encode(simplex(), {"weights": value})


@pytest.mark.parametrize("value", [None, [], ["other"], list(TASKS), ["mnli", "mnli"], {"mnli": 1.0}])
def test_subsets_of_other_tasks_or_sizes_are_refused(value: Any) -> None:
    space = SearchSpace(params={"subset": SubsetOf(tasks=TASKS, low=1, high=3)})
    with pytest.raises(InputError, match="another search space"):
        encode(space, {"subset": value})
