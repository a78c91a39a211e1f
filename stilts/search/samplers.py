"""Samplers by name: how the next values are drawn from what is known.

Every draw is made in a fresh Optuna study in memory, filled with what is known in the order of proposal numbers, by a
freshly seeded sampler. So a draw depends on its arguments only: not on a storage, which keeps no sampler state,
nor on the order in which results came in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler, BruteForceSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from stilts.errors import InputError, UnknownNameError
from stilts.seeds import derive_seed

# Optuna's own default is 10, more than many of our rows have proposals (DESIGN section 7: single runs cost hours).
_TPE_RANDOM_STARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One draw: what may be drawn, what is known, and the seeds.

    ``known`` holds trials in the order of their proposal numbers; ``row_seed`` is the same for every proposal of a
    row, ``seed`` is this draw's own; ``index`` counts a row's proposals from 0.
    """

    distributions: Mapping[str, BaseDistribution]
    known: Sequence[FrozenTrial]
    row_seed: int
    seed: int
    index: int


Sampler = Callable[[Draw], dict[str, Any]]


def find_sampler(name: str) -> Sampler:
    """The sampler of that name; UnknownNameError lists the names that there are."""
    if name not in SAMPLERS:
        raise UnknownNameError("sampler", name, SAMPLERS)
    return SAMPLERS[name]


def draw_tpe(draw: Draw) -> dict[str, Any]:
    """From a tree-structured Parzen estimator (Bergstra et al. 2011); unfinished proposals count as poor ones."""
    sampler = TPESampler(seed=_seed32(draw.seed), n_startup_trials=_TPE_RANDOM_STARTS, constant_liar=True)
    return _ask(sampler, draw, draw.known)


def draw_random(draw: Draw) -> dict[str, Any]:
    """Independently and uniformly (in the logarithm where a range says so)."""
    return _ask(RandomSampler(seed=_seed32(draw.seed)), draw, ())


def draw_qmc(draw: Draw) -> dict[str, Any]:
    """Point ``index`` of the row's own scrambled Sobol sequence; listed choices are drawn at random."""
    values = draw_random(draw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = QMCSampler(seed=_seed32(draw.row_seed), scramble=True, warn_asynchronous_seeding=False)
    study = optuna.create_study(sampler=sampler)
    study.add_trial(optuna.trial.create_trial(value=0.0))
    numeric = {name: kind for name, kind in draw.distributions.items() if _is_numeric(kind)}
    for _ in range(draw.index + 1 if numeric else 0):
        values |= sampler.sample_relative(study, study.trials[0], numeric)
    return values


def draw_grid(draw: Draw) -> dict[str, Any]:
    """One of the combinations that are not known yet, at random; InputError where there are endlessly many."""
    endless = [
        name for name, kind in draw.distributions.items() if isinstance(kind, FloatDistribution) and not kind.single()
    ]
    if endless:
        raise InputError(
            'sampler "grid"',
            f"{', '.join(endless)} is drawn from a continuous range",
            "A grid can only be walked over listed choices and whole numbers",
            'List choices for it, or set "sampler: qmc", which spreads points evenly',
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = BruteForceSampler(seed=_seed32(draw.seed))
    return _ask(sampler, draw, draw.known)


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {"tpe": draw_tpe, "random": draw_random, "qmc": draw_qmc, "grid": draw_grid}
)


def _ask(sampler: BaseSampler, draw: Draw, known: Sequence[FrozenTrial]) -> dict[str, Any]:
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(known)
    return study.ask(dict(draw.distributions)).params


def _seed32(seed: int) -> int:
    """Optuna's samplers take seeds below 2**32."""
    return derive_seed("sampler", seed) % 2**32


def _is_numeric(kind: BaseDistribution) -> bool:
    return not isinstance(kind, optuna.distributions.CategoricalDistribution) and not kind.single()
