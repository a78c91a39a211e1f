"""Samplers: each learns from what it is told or says why it cannot be used; each draw depends on its arguments only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import pytest

from stilts.errors import InputError
from stilts.fingerprint import Json
from stilts.search.objective import Aim
from stilts.search.outcome import Outcome, Told
from stilts.study.search_space import Choices, FloatRange, IntRange, OneOf, SearchSpace, Within
from tests.search.test_proposals import aim_on, book

SPACE = SearchSpace(
    params={
        "learning_rate": FloatRange(low=1e-6, high=1e-2, log=True),
        "steps": IntRange(low=10, high=1000),
    }
)
ONE = (aim_on("xnli"),)
LEARNING = ("tpe", "gp")
SLOW_GP = pytest.param("gp", marks=pytest.mark.slow)  # seconds a draw, most of them spent fitting


def hill(params: Mapping[str, Json]) -> float:
    """A quadratic with its top, 100, at a learning rate of 1e-4 and 700 steps."""
    rate, steps = params["learning_rate"], params["steps"]
    assert isinstance(rate, float) and isinstance(steps, int)
    return 100 - 10 * (math.log10(rate) + 4) ** 2 - ((steps - 700) / 150) ** 2


def search(
    sampler: str,
    count: int,
    *,
    seed: int = 0,
    space: SearchSpace = SPACE,
    aims: Sequence[Aim] = ONE,
    values: Callable[[Mapping[str, Json]], tuple[float, ...]] = lambda params: (hill(params),),
) -> list[Told]:
    told: list[Told] = []
    for number in range(count):
        subject = book(space=space, sampler=sampler, seed=seed, aims=aims)  # a new process at every step
        params = subject.ask(number, told, [one.params for one in told])
        assert params is not None
        told.append(Told(number=number, params=params, outcomes={aims[0].name: Outcome(values=values(params))}))
    return told


def late_mean(told: Sequence[Told]) -> float:
    last = [hill(one.params) for one in told[15:]]
    return sum(last) / len(last)


@pytest.fixture(scope="module")
def by_chance() -> float:
    return median(late_mean(search("random", 25, seed=seed)) for seed in range(5))


@pytest.mark.parametrize("sampler", ["tpe", SLOW_GP])
def test_a_sampler_that_learns_beats_chance_after_25_asks(sampler: str, by_chance: float) -> None:
    assert late_mean(search(sampler, 25)) > by_chance + 5


@pytest.mark.parametrize("sampler", LEARNING)
def test_a_draw_follows_from_what_is_told_and_nothing_else(sampler: str) -> None:
    told = search("random", 12)
    taken = [one.params for one in told]
    plain = book(space=SPACE, sampler=sampler, seed=0, aims=ONE).ask(12, told, taken)
    assert book(space=SPACE, sampler=sampler, seed=0, aims=ONE).ask(12, told[::-1], taken) == plain
    upside_down = [
        Told(number=one.number, params=one.params, outcomes={"xnli": Outcome(values=(-hill(one.params),))})
        for one in told
    ]
    assert book(space=SPACE, sampler=sampler, seed=0, aims=ONE).ask(12, upside_down, taken) != plain


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_the_same_seed_gives_the_same_search(sampler: str) -> None:
    assert search(sampler, 14) == search(sampler, 14) != search(sampler, 14, seed=1)


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_running_failed_and_pruned_recipes_are_no_obstacle(sampler: str) -> None:
    told = search(sampler, 8)
    told[3] = Told(number=3, params=told[3].params, outcomes={"xnli": Outcome()})
    told[4] = Told(number=4, params=told[4].params, outcomes={"xnli": Outcome(pruned=True, curve={5: 40.0})})
    told[5] = Told(number=5, params=told[5].params, outcomes={})
    subject = book(space=SPACE, sampler=sampler, aims=ONE)
    assert subject.ask(8, told, [one.params for one in told]) is not None


# --- conditional parameters ---


CONDITIONAL = SearchSpace(
    params={"steps": IntRange(low=1, high=3), "batch_size": IntRange(low=8, high=11), "cap": Choices(values=(1, 2))},
    when={"batch_size": {"steps": OneOf(values=(2.0,))}, "cap": {"steps": Within(low=2.0, high=3.0)}},
)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random", "qmc", "grid"])
def test_parameters_that_do_not_always_apply_are_searched(sampler: str) -> None:
    """1 recipe of one step, 8 of two, 2 of three."""
    told = search("random", 6, space=CONDITIONAL, values=lambda params: (float(str(params["steps"])),))
    taken = [one.params for one in told]
    subject = book(space=CONDITIONAL, sampler=sampler, seed=0, aims=ONE)
    while sampler != "gp" and (params := subject.ask(len(taken), told, taken)) is not None:
        outcomes = {"xnli": Outcome(values=(float(str(params["steps"])),))}
        told.append(Told(number=len(taken), params=params, outcomes=outcomes))
        taken.append(params)
    assert len(taken) == 11 or subject.ask(6, told, taken) is not None


# --- several objectives ---


def two(params: Mapping[str, Json]) -> tuple[float, ...]:
    """Gain grows with the steps up to 600, harm from 400 on: between the two lies the trade."""
    steps = int(str(params["steps"]))
    rate = abs(math.log10(float(str(params["learning_rate"]))) + 4)
    return (10 - abs(steps - 600) / 100 - 3 * rate, max(0.0, (steps - 400) / 100) + 3 * rate)


@pytest.mark.parametrize("sampler", ["tpe", SLOW_GP, "random", "qmc"])
def test_several_objectives_are_searched_at_once(sampler: str) -> None:
    aims = (aim_on("gain", "languages_hurt", minimised=["languages_hurt"]),)
    told = search(sampler, 8, aims=aims, values=two)
    assert search(sampler, 8, aims=aims, values=two) == told


def test_tpe_moves_towards_the_pareto_front() -> None:
    aims = (aim_on("gain", "languages_hurt", minimised=["languages_hurt"]),)

    def distance(sampler: str) -> float:
        late = [one for seed in range(3) for one in search(sampler, 30, seed=seed, aims=aims, values=two)[15:]]
        return sum(abs(math.log10(float(str(one.params["learning_rate"]))) + 4) for one in late) / len(late)

    assert distance("tpe") < distance("random") - 0.1


# --- what is refused ---


@pytest.mark.parametrize(("sampler", "why"), [("grid", "continuous range"), ("cmaes", 'given up.*"sampler: tpe"')])
def test_a_sampler_that_cannot_is_refused_with_the_reason(sampler: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        book(space=SPACE, sampler=sampler, aims=ONE)
