"""Between a proposal's plain values and the numbers that Optuna draws.

Weights on a simplex of K tasks have K - 1 freedoms and K inclusion flags. Going through the tasks in order, the uniform
number u_i says what is left after task i: ``u_i ** (1 / (K - i))`` of what was there before it (so 1 is a share of 0),
and the last task gets the rest. The result is uniform on the simplex (stick-breaking: the i-th share of what is left
is Beta(1, K - i) distributed, Devroye 1986, "Non-Uniform Random Variate Generation", chapters V.2 and XI). A task whose
flag is false is then left out and the others are scaled to sum to 1, which is uniform on their simplex; flags that
leave out all leave out none. Every recipe has one encoding (``encode``): flags are true where there is weight, so
equal recipes are equal to Optuna too. A task without weight is told with u = 1, as a share of 0, and not as absent:
samplers that need the same parameters in every trial (GP) then see the whole simplex.

Which k of n tasks are drawn as one uniform score per task, of which the k highest count, and k where it is a range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, assert_never

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from stilts.errors import InputError
from stilts.fingerprint import Json, canonical_json
from stilts.study.search_space import (
    Choices,
    FloatRange,
    IntRange,
    Range,
    SearchSpace,
    Simplex,
    SubsetOf,
    round_number,
    round_weights,
)


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """What Optuna draws for the space, by Optuna's names.

    One entry per number or choice; ``weights.left_<task>`` (but for the last task) and ``weights.with_<task>`` of a
    simplex; ``subset.score_<task>`` and, where it is a range, ``subset.count`` of a subset. Parameters that apply
    under a condition only are here too: they are drawn always, and ``decode`` leaves them out.
    """
    drawn: dict[str, BaseDistribution] = {}
    for name, values in space.params.items():
        drawn |= _distributions(name, values)
    return drawn


def decode(space: SearchSpace, drawn: Mapping[str, Any]) -> dict[str, Json]:
    """The proposal's parameters, rounded as they become identity, from what Optuna drew; only those that apply."""
    params: dict[str, Json] = {}
    for name in space.order():
        if space.applies(name, params):
            params[name] = _decode(name, space.params[name], drawn)
    return {name: params[name] for name in space.params if name in params}


def encode(space: SearchSpace, params: Mapping[str, Json]) -> dict[str, Any]:
    """What Optuna is told was drawn for the parameters; InputError where they are not of this space.

    What does not apply to these parameters is absent.
    """
    encoded: dict[str, Any] = {}
    for name in space.order():
        applies = space.applies(name, params)
        if applies != (name in params):
            raise _not_of_space(name, "it has no value" if applies else "it has a value where it is not drawn")
        if applies:
            encoded |= _encode(name, space.params[name], params[name])
    return encoded


def _distributions(name: str, values: Range) -> dict[str, BaseDistribution]:
    match values:
        case FloatRange():
            return {name: FloatDistribution(values.low, values.high, log=values.log, step=values.step)}
        case IntRange():
            return {name: IntDistribution(values.low, values.high, log=values.log)}
        case Choices():
            # Optuna's choices are scalars that compare unequal; JSON text is both for any value.
            return {name: CategoricalDistribution([canonical_json(value) for value in values.values])}
        case Simplex(tasks=tasks):
            left = {_name(name, "left", task): FloatDistribution(0.0, 1.0) for task in tasks[:-1]}
            return left | {_name(name, "with", task): CategoricalDistribution([True, False]) for task in tasks}
        case SubsetOf(tasks=tasks, low=low, high=high):
            scores = {_name(name, "score", task): FloatDistribution(0.0, 1.0) for task in tasks}
            return scores | ({f"{name}.count": IntDistribution(low, high)} if low < high else {})
        case _:
            assert_never(values)


def _decode(name: str, values: Range, drawn: Mapping[str, Any]) -> Json:
    match values:
        case FloatRange(step=None):
            return min(max(round_number(float(drawn[name])), values.low), values.high)
        case FloatRange(step=step):
            assert step is not None
            return round(round(float(drawn[name]) / step) * step, 10)
        case IntRange():
            return min(max(round(round_number(int(drawn[name]))), values.low), values.high)
        case Choices():
            return {canonical_json(value): value for value in values.values}[drawn[name]]
        case Simplex():
            return dict(_weights(name, values, drawn))
        case SubsetOf():
            return list(_subset(name, values, drawn))
        case _:
            assert_never(values)


def _weights(name: str, values: Simplex, drawn: Mapping[str, Any]) -> dict[str, float]:
    left, shares = 1.0, {}
    for after, task in zip(range(len(values.tasks) - 1, -1, -1), values.tasks, strict=True):
        kept = float(drawn[_name(name, "left", task)]) ** (1 / after) if after else 0.0
        shares[task] = left * (1.0 - kept)
        left *= kept
    included = {task: share for task, share in shares.items() if drawn[_name(name, "with", task)]} or shares
    if not math.fsum(included.values()):  # what is left out had it all
        included = dict.fromkeys(included, 1.0)
    return round_weights(included, values.step)


def _subset(name: str, values: SubsetOf, drawn: Mapping[str, Any]) -> list[str]:
    count = int(drawn[f"{name}.count"]) if values.low < values.high else values.low
    scores = {task: float(drawn[_name(name, "score", task)]) for task in values.tasks}
    highest = sorted(values.tasks, key=lambda task: -scores[task])[:count]  # ties: the earlier task
    return [task for task in values.tasks if task in highest]


def _encode(name: str, values: Range, value: Json) -> dict[str, Any]:
    match values:
        case FloatRange() | IntRange():
            if isinstance(value, bool) or not isinstance(value, int | float) or not values.low <= value <= values.high:
                raise _not_of_space(name, f"{value!r} is not between {values.low} and {values.high}")
            return {name: int(value) if isinstance(values, IntRange) else float(value)}
        case Choices():
            if canonical_json(value) not in [canonical_json(known) for known in values.values]:
                raise _not_of_space(name, f"{value!r} is not one of its choices")
            return {name: canonical_json(value)}
        case Simplex():
            return _encode_weights(name, values, value)
        case SubsetOf():
            return _encode_subset(name, values, value)
        case _:
            assert_never(values)


def _encode_weights(name: str, values: Simplex, value: Json) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or not set(value) <= set(values.tasks):
        raise _not_of_space(name, f"{value!r} does not weigh the tasks {', '.join(values.tasks)}")
    given = {task: weight for task, weight in value.items() if isinstance(weight, int | float) and weight >= 0}
    if len(given) < len(value):
        raise _not_of_space(name, f"{value!r} holds a weight that is no number from 0")
    weights = {task: given.get(task, 0.0) for task in values.tasks}
    encoded: dict[str, Any] = {}
    for number, task in enumerate(values.tasks[:-1], start=1):
        # Sums of what is to come, not differences from 1: they are exact where little is left.
        rest = math.fsum(weights[later] for later in values.tasks[number:])
        there = weights[task] + rest
        kept = rest / there if weights[task] else 1.0
        encoded[_name(name, "left", task)] = kept ** (len(values.tasks) - number)
    return encoded | {_name(name, "with", task): weight > 0 for task, weight in weights.items()}


def _encode_subset(name: str, values: SubsetOf, value: Json) -> dict[str, Any]:
    """The scores that the chosen tasks, and the others, have on average when all are drawn uniformly."""
    known = isinstance(value, list) and len({str(task) for task in value}) == len(value)
    if not isinstance(value, list) or not known or not values.low <= len(value) <= values.high:
        raise _not_of_space(name, f"{value!r} is no choice of {values.low} to {values.high} tasks")
    if not set(map(str, value)) <= set(values.tasks):
        raise _not_of_space(name, f"{value!r} is not among the tasks {', '.join(values.tasks)}")
    n, k = len(values.tasks), len(value)
    chosen, other = (2 * n - k + 1) / (2 * (n + 1)), (n - k + 1) / (2 * (n + 1))
    scores = {_name(name, "score", task): chosen if task in value else other for task in values.tasks}
    return scores | ({f"{name}.count": k} if values.low < values.high else {})


def _name(parameter: str, what: str, task: str) -> str:
    return f"{parameter}.{what}_{task}"


def _not_of_space(name: str, found: str) -> InputError:
    return InputError(
        f'proposal parameter "{name}"',
        found,
        "A proposal that was made under another search space cannot teach this one",
        "Give the study another name, or restore its search space",
    )
