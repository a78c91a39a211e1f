"""Between a proposal's plain values and the numbers that Optuna draws.

Weights on a simplex of K tasks are drawn as K uniform numbers u: ``-log(u_i)``, normalised, is uniform on the simplex
(Devroye 1986, "Non-Uniform Random Variate Generation", chapter XI). Many u give the same weights; ``encode``
picks the one with ``u_i = exp(-K w_i)``, so equal recipes are equal to Optuna too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
    round_number,
    round_weights,
)

_SMALLEST_U = 1e-12


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """What Optuna draws for the space: one entry per parameter, and ``<parameter>.u_<task>`` per task of a simplex."""
    drawn: dict[str, BaseDistribution] = {}
    for name, values in space.params.items():
        if isinstance(values, Simplex):
            drawn |= {_u_name(name, task): FloatDistribution(_SMALLEST_U, 1.0) for task in values.tasks}
        else:
            drawn[name] = _distribution(values)
    return drawn


def decode(space: SearchSpace, drawn: Mapping[str, Any]) -> dict[str, Json]:
    """The proposal's parameters, rounded as they become identity, from what Optuna drew."""
    return {name: _decode(name, values, drawn) for name, values in space.params.items()}


def encode(space: SearchSpace, params: Mapping[str, Json]) -> dict[str, Any]:
    """What Optuna is told was drawn for the parameters; InputError where they are not of this space."""
    encoded: dict[str, Any] = {}
    for name, values in space.params.items():
        if name not in params:
            raise _not_of_space(name, "it has no value")
        encoded |= _encode(name, values, params[name])
    return encoded


def _u_name(name: str, task: str) -> str:
    return f"{name}.u_{task}"


def _distribution(values: FloatRange | IntRange | Choices) -> BaseDistribution:
    if isinstance(values, FloatRange):
        return FloatDistribution(values.low, values.high, log=values.log)
    if isinstance(values, IntRange):
        return IntDistribution(values.low, values.high, log=values.log)
    # Optuna's choices are scalars that compare unequal; JSON text is both for any value.
    return CategoricalDistribution([canonical_json(value) for value in values.values])


def _decode(name: str, values: Range, drawn: Mapping[str, Any]) -> Json:
    if isinstance(values, FloatRange):
        return min(max(round_number(float(drawn[name])), values.low), values.high)
    if isinstance(values, IntRange):
        return min(max(round(round_number(int(drawn[name]))), values.low), values.high)
    if isinstance(values, Choices):
        return {canonical_json(value): value for value in values.values}[drawn[name]]
    shares = {task: -math.log(max(drawn[_u_name(name, task)], _SMALLEST_U)) for task in values.tasks}
    if math.fsum(shares.values()) <= 0:
        shares = dict.fromkeys(values.tasks, 1.0)
    return dict(round_weights(shares, values.step))


def _encode(name: str, values: Range, value: Json) -> dict[str, Any]:
    if isinstance(values, Simplex):
        return _encode_weights(name, values, value)
    if isinstance(values, Choices):
        if canonical_json(value) not in [canonical_json(known) for known in values.values]:
            raise _not_of_space(name, f"{value!r} is not one of its choices")
        return {name: canonical_json(value)}
    if isinstance(value, bool) or not isinstance(value, int | float) or not values.low <= value <= values.high:
        raise _not_of_space(name, f"{value!r} is not between {values.low} and {values.high}")
    return {name: int(value) if isinstance(values, IntRange) else float(value)}


def _encode_weights(name: str, values: Simplex, value: Json) -> dict[str, Any]:
    if not isinstance(value, dict) or not set(value) <= set(values.tasks):
        raise _not_of_space(name, f"{value!r} does not weigh the tasks {', '.join(values.tasks)}")
    weights = {task: value.get(task, 0.0) for task in values.tasks}
    scale = len(values.tasks)
    return {
        _u_name(name, task): max(math.exp(-scale * weight), _SMALLEST_U)
        for task, weight in weights.items()
        if isinstance(weight, int | float)
    }


def _not_of_space(name: str, found: str) -> InputError:
    return InputError(
        f'proposal parameter "{name}"',
        found,
        "A proposal that was made under another search space cannot teach this one",
        "Give the study another name, or restore its search space",
    )
