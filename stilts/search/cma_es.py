"""CMA-ES (Hansen 2016, "The CMA Evolution Strategy: A Tutorial"), replayed from a row's own proposals.

Optuna's sampler of that name learns only from trials that it asked itself and that carry its state. Here the state is
made again for every draw: proposals, by number, are cut into generations, and every earlier generation is told to a
new ``cmaes.CMA``. So whoever proposed a recipe, a warm start included, it is learned from. Only the ranks
within a generation count; a failed or pruned recipe ranks last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from stilts.search.draw import NUMBER, Draw, is_numeric, seed32

# Every range is searched as 0 to 1. The tutorial's advice where nothing is known: the middle, and 0.3 of the range.
_MEAN, _SIGMA = 0.5, 0.3


def generation_size(distributions: Mapping[str, BaseDistribution]) -> int:
    """How many proposals make a generation: 4 + floor(3 ln d) for d numeric parameters (equation 48)."""
    return 4 + math.floor(3 * math.log(max(1, sum(map(is_numeric, distributions.values())))))


def draw_cma_es(draw: Draw) -> dict[str, Any]:
    """The numeric parameters of the draw's proposal, from the generations before its own; others are left out."""
    from cmaes import CMA

    numeric = {name: kind for name, kind in draw.distributions.items() if is_numeric(kind)}
    size = generation_size(draw.distributions)
    sign = -1.0 if draw.directions[0] == "maximize" else 1.0
    state = CMA(
        mean=np.full(len(numeric), _MEAN),
        sigma=_SIGMA,
        bounds=np.array([[0.0, 1.0]] * len(numeric)),
        population_size=size,
        seed=seed32(draw.seed),
    )
    finished = {trial.user_attrs[NUMBER]: trial for trial in draw.known if trial.state.is_finished()}
    for first in range(0, draw.number - draw.number % size, size):
        members = [finished[number] for number in range(first, first + size)]
        state.tell([(_point(trial, numeric, state.mean), _loss(trial, sign)) for trial in members])
    return _values(state.ask(), numeric)


def _loss(trial: FrozenTrial, sign: float) -> float:
    value = trial.value if trial.state is TrialState.COMPLETE else None
    return math.inf if value is None else sign * value


def _point(
    trial: FrozenTrial, numeric: Mapping[str, BaseDistribution], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where a recipe lies in the unit cube, shape (parameters,).

    A parameter that it does not carry (a conditional one) is taken at the mean, where it moves nothing.
    """
    return np.array(
        [
            _to_unit(trial.params[name], kind) if name in trial.params else centre
            for (name, kind), centre in zip(numeric.items(), mean, strict=True)
        ]
    )


def _values(point: NDArray[np.float64], numeric: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    return {name: _from_unit(float(at), kind) for at, (name, kind) in zip(point, numeric.items(), strict=True)}


def _to_unit(value: float, kind: BaseDistribution) -> float:
    low, high, log = _span(kind)
    return (math.log(value / low) / math.log(high / low)) if log else (value - low) / (high - low)


def _from_unit(at: float, kind: BaseDistribution) -> float | int:
    low, high, log = _span(kind)
    value = low * (high / low) ** at if log else low + at * (high - low)
    if isinstance(kind, IntDistribution):
        return min(max(round(value), kind.low), kind.high)
    assert isinstance(kind, FloatDistribution)
    return min(max(value, kind.low), kind.high)


def _span(kind: BaseDistribution) -> tuple[float, float, bool]:
    """Low, high and whether logarithmic; a whole number's ends reach half a step further, so that all are as wide."""
    assert isinstance(kind, FloatDistribution | IntDistribution)
    half = 0.5 if isinstance(kind, IntDistribution) else 0.0
    return kind.low - half, kind.high + half, kind.log
