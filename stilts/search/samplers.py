"""Samplers by name: how the next values are drawn from what is known.

Every draw is made in a fresh Optuna study in memory, filled with what is known in the order of proposal numbers, by a
freshly seeded sampler. So a draw depends on its arguments only: not on a storage, which keeps no sampler state, nor
on the order in which results came in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, BruteForceSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, create_trial

from stilts.errors import InputError, UnknownNameError
from stilts.search.draw import Draw, is_numeric, seed32

# Optuna's own default is 10, more than many of our rows have proposals (DESIGN section 7: single runs cost hours).
_RANDOM_STARTS = 4
# Samplers of earlier versions (docs/decisions.md, 46).
_GONE = ("cmaes",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """How values are drawn; ``check`` raises InputError for parameters that the sampler cannot search."""

    draw: Callable[[Draw], dict[str, Any]]
    check: Callable[[Mapping[str, BaseDistribution]], None] = lambda kinds: None


def find_sampler(name: str) -> Sampler:
    """The sampler of that name; UnknownNameError lists the names that there are, InputError says which one went."""
    if name in _GONE:
        raise InputError(
            f'sampler "{name}"',
            "it was given up",
            "It waits for whole generations of scores before it learns, so most workers of a cluster would stand idle",
            'Write "sampler: tpe", or gp where few numbers are searched; proposals that it drew stay as they are',
        )
    if name not in SAMPLERS:
        raise UnknownNameError("sampler", name, SAMPLERS)
    return SAMPLERS[name]


def draw_tpe(draw: Draw) -> dict[str, Any]:
    """From a tree-structured Parzen estimator (Bergstra et al. 2011); unfinished proposals count as poor ones."""
    return _ask(TPESampler(seed=seed32(draw.seed), n_startup_trials=_RANDOM_STARTS, constant_liar=True), draw)


def draw_gp(draw: Draw) -> dict[str, Any]:
    """From a Gaussian process by expected improvement, of the hypervolume where there are several objectives.

    Parameters that not all known proposals have (conditional ones) are drawn at random.
    """
    sampler = GPSampler(seed=seed32(draw.seed), n_startup_trials=_RANDOM_STARTS, warn_independent_sampling=False)
    return _ask(sampler, draw)


def draw_random(draw: Draw) -> dict[str, Any]:
    """Independently and uniformly (in the logarithm where a range says so)."""
    study = optuna.create_study(sampler=RandomSampler(seed=seed32(draw.seed)))
    return study.ask(dict(draw.distributions)).params


def draw_qmc(draw: Draw) -> dict[str, Any]:
    """Point ``index`` of the row's own scrambled Sobol sequence; listed choices are drawn at random."""
    values = draw_random(draw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = QMCSampler(seed=seed32(draw.row_seed), scramble=True, warn_asynchronous_seeding=False)
    study = optuna.create_study(sampler=sampler)
    study.add_trial(create_trial(value=0.0))
    numeric = {name: kind for name, kind in draw.distributions.items() if is_numeric(kind)}
    for _ in range(draw.index + 1 if numeric else 0):
        values |= sampler.sample_relative(study, study.trials[0], numeric)
    return values


def draw_grid(draw: Draw) -> dict[str, Any]:
    """One of the combinations that are not known yet, at random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = BruteForceSampler(seed=seed32(draw.seed))
    return _ask(sampler, replace(draw, known=[_completed(trial, draw.distributions) for trial in draw.known]))


def check_countable(kinds: Mapping[str, BaseDistribution]) -> None:
    """InputError where there are endlessly many combinations."""
    endless = [
        name
        for name, kind in kinds.items()
        if isinstance(kind, FloatDistribution) and kind.step is None and not kind.single()
    ]
    if endless:
        raise InputError(
            'sampler "grid"',
            f"{', '.join(endless)} is drawn from a continuous range",
            "A grid can only be walked over listed choices and whole numbers",
            'List choices for it, or set "sampler: qmc", which spreads points evenly',
        )


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "tpe": Sampler(draw=draw_tpe),
        "gp": Sampler(draw=draw_gp),
        "random": Sampler(draw=draw_random),
        "grid": Sampler(draw=draw_grid, check=check_countable),
        "qmc": Sampler(draw=draw_qmc),
    }
)


def _completed(trial: FrozenTrial, kinds: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """The trial with a value for every parameter: those that it does not carry (conditional ones) have their first.

    The grid's tree of combinations has no branches that end early.
    """
    first = {name: _first(kind) for name, kind in kinds.items() if name not in trial.params}
    params = trial.params | first
    return create_trial(
        state=trial.state,
        values=trial.values,
        params={name: params[name] for name in kinds},
        distributions=dict(kinds),
        user_attrs=trial.user_attrs,
    )


def _first(kind: BaseDistribution) -> Any:
    if isinstance(kind, CategoricalDistribution):
        return kind.choices[0]
    assert isinstance(kind, FloatDistribution | IntDistribution)
    return kind.low


def _ask(sampler: BaseSampler, draw: Draw) -> dict[str, Any]:
    study = optuna.create_study(directions=list(draw.directions), sampler=sampler)
    study.add_trials(list(draw.known))
    return study.ask(dict(draw.distributions)).params
