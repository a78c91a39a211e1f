"""Samplers: each learns from what it is told or says why it cannot be used; each draw depends on its arguments only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median

import pytest

from stilts.errors import InputError
from stilts.fingerprint import Json
from stilts.search.objective import Aim
from stilts.search.outcome import Outcome, Told
from stilts.study.search_space import Choices, FloatRange, IntRange, OneOf, SearchSpace, Simplex, Within
from tests.search.test_proposals import FINITE, aim_on, book

SPACE = SearchSpace(
    params={
        "learning_rate": FloatRange(low=1e-6, high=1e-2, log=True),
        "steps": IntRange(low=10, high=1000),
    }
)
ONE = (aim_on("xnli"),)
LEARNING = ("tpe", "gp", "cmaes")
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


@pytest.mark.parametrize("sampler", ["tpe", SLOW_GP, "cmaes"])
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


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "random", "qmc"])
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


# --- CMA-ES ---


def test_cmaes_waits_for_the_last_generation_and_then_goes_on() -> None:
    told = search("cmaes", 5)  # two parameters: generations of 4 + floor(3 ln 2) = 6
    subject = book(space=SPACE, sampler="cmaes", aims=ONE)
    assert [subject.is_ready(number, told) for number in (5, 6, 11, 12)] == [True, False, False, False]
    told = search("cmaes", 6)
    assert [subject.is_ready(number, told) for number in (6, 11, 12)] == [True, True, False]
    told[2] = Told(number=2, params=told[2].params, outcomes={"xnli": Outcome(values=(50.0,), settled=False)})
    assert not subject.is_ready(6, told), "a seed of number 2 is still to come"
    assert book(space=SPACE, sampler="tpe", aims=ONE).is_ready(6, [])


def test_cmaes_learns_from_recipes_that_it_did_not_propose() -> None:
    """Six recipes around one corner, told as good: the next generation is drawn nearer to it than the first."""
    corner = [{"learning_rate": 5e-3, "steps": 100 + number} for number in range(6)]
    told = [
        Told(number=number, params=params, outcomes={"xnli": Outcome(values=(60.0 + number,))})
        for number, params in enumerate(corner)
    ]
    assert _middle(6, told) < _middle(0, []) - 100


def _middle(number: int, told: Sequence[Told]) -> float:
    """Half of 20 seeds draw fewer steps than this."""
    books = [book(space=SPACE, sampler="cmaes", seed=seed, aims=ONE) for seed in range(20)]
    drawn = [subject.ask(number, told, [one.params for one in told]) for subject in books]
    return median(int(str(params["steps"])) for params in drawn if params is not None)


def test_cmaes_ranks_failed_recipes_last_and_minimises_where_it_is_asked() -> None:
    down = (aim_on("xnli", minimised=["xnli"]),)
    late = search("cmaes", 25, aims=down, values=lambda params: (-hill(params),))
    assert late_mean(late) == late_mean(search("cmaes", 25))
    few: list[Mapping[str, Json]] = [{"learning_rate": 1e-4, "steps": 80 + 150 * number} for number in range(6)]
    kept = {number: Outcome(values=(60.0,)) if number < 3 else Outcome() for number in range(6)}
    told = [Told(number=number, params=params, outcomes={"xnli": kept[number]}) for number, params in enumerate(few)]
    assert _middle(6, told) < _middle(6, [replace(one, outcomes={"xnli": kept[5 - one.number]}) for one in told]) - 100


def test_cmaes_draws_weights_and_listed_choices_too() -> None:
    space = SearchSpace(params={"weights": Simplex(tasks=("a", "b", "c")), "warmup_frac": Choices(values=(0.0, 0.1))})

    def share(params: Mapping[str, Json]) -> tuple[float, ...]:
        weights = params["weights"]
        assert isinstance(weights, dict)
        return (float(str(weights.get("a", 0.0))),)

    seeds = [search("cmaes", 28, seed=seed, space=space, values=share) for seed in range(3)]
    first, last = ([share(one.params)[0] for told in seeds for one in told[part]] for part in (slice(7), slice(21, 28)))
    assert sum(last) / len(last) > sum(first) / len(first) + 0.15
    assert {one.params["warmup_frac"] for told in seeds for one in told} == {0.0, 0.1}


# --- conditional parameters ---


CONDITIONAL = SearchSpace(
    params={"steps": IntRange(low=1, high=3), "batch_size": IntRange(low=8, high=11), "cap": Choices(values=(1, 2))},
    when={"batch_size": {"steps": OneOf(values=(2.0,))}, "cap": {"steps": Within(low=2.0, high=3.0)}},
)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes", "random", "qmc", "grid"])
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


@pytest.mark.parametrize(
    ("sampler", "aims", "space", "why"),
    [
        ("cmaes", (aim_on("xnli"), aim_on("panx")), SPACE, "shared by 2 Optuna studies"),
        ("cmaes", (aim_on("gain", "languages_hurt"),), SPACE, "several objectives"),
        ("cmaes", ONE, SearchSpace(params={"cap": Choices(values=(1, 2))}), "nothing that is searched is a number"),
        ("grid", ONE, SPACE, "continuous range"),
    ],
)
def test_a_sampler_that_cannot_is_refused_with_the_reason(
    sampler: str, aims: Sequence[Aim], space: SearchSpace, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        book(space=space, sampler=sampler, aims=aims)


def test_a_small_space_is_proposed_once_each_by_cmaes() -> None:
    told = search("cmaes", 6, space=FINITE, values=lambda params: (float(str(params["steps"])),))
    taken = [one.params for one in told]
    assert book(space=FINITE, sampler="cmaes", seed=0, aims=ONE).ask(6, told, taken) is None
