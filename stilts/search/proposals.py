"""ProposalBook: asks for the values of a searched row, and tells what came of them.

A recipe is trained once and scored on every target that wants it, so each aim's Optuna study is told of every
recipe, whoever asked for it. The store's proposal records and results are the truth; Optuna's storage is what
``optuna-dashboard`` shows and is rebuilt from them (``reconcile``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from stilts.fingerprint import Json, canonical_json
from stilts.search.draw import NUMBER, Draw
from stilts.search.encoding import decode, distributions, encode
from stilts.search.objective import Aim
from stilts.search.optuna_view import OptunaView, ShownStudy
from stilts.search.outcome import Outcome, Told
from stilts.search.samplers import draw_random, find_sampler
from stilts.seeds import derive_seed
from stilts.study.search_space import SearchSpace

# Its warnings are of its own experimental parts and optional packages; nothing of ours depends on them.
optuna.logging.set_verbosity(optuna.logging.ERROR)

_REASKS = 20
# Enough to find the last free one of 100 equally likely recipes but once in 20,000 searches.
_RANDOM_REASKS = 1000


class ProposalBook:
    """The proposals of one searched row: one Optuna study per aim, named ``<study>/<row>/<aim>``, asked in turn.

    ``storage_url`` is an SQLAlchemy URL, ``journal:<file>``, or None for memory. Raises UnknownNameError for an
    unknown sampler, InputError for one that cannot search this space, and StoreError where the storage
    cannot be used.
    """

    def __init__(
        self,
        *,
        storage_url: str | None,
        study_name: str,
        row: str,
        space: SearchSpace,
        sampler: str,
        seed: int,
        aims: Sequence[Aim],
    ) -> None:
        self._row_seed = derive_seed(seed, row)
        self._seed, self._row, self._aims = seed, row, tuple(aims)
        self.space, self._kinds = space, distributions(space)
        self._name, self._sampler = sampler, find_sampler(sampler)
        self._sampler.check(self._kinds)
        shown = {aim.name: ShownStudy(name=f"{study_name}/{row}/{aim.name}", directions=aim.directions) for aim in aims}
        self._view = OptunaView(storage_url, shown)

    @property
    def aims(self) -> tuple[Aim, ...]:
        """What the row's Optuna studies climb by."""
        return self._aims

    def ask(
        self, number: int, told: Sequence[Told], taken: Sequence[Mapping[str, Json]] = ()
    ) -> dict[str, Json] | None:
        """The parameters of proposal ``number``, or None when every recipe of the space has been proposed.

        ``taken`` holds the parameters of all earlier proposals of the row, in order; none of them comes back. The
        answer depends on (seed, row, number, told, taken) only, and not on the order of ``told``.
        """
        aim = self._asked(number)
        seen = {canonical_json(params) for params in [*taken, *(one.params for one in told)]}
        known = self._known(aim, told, taken)
        for params in self._draws(number, aim, known):
            if canonical_json(params) not in seen:
                self.asked(number, params)
                return params
        return None

    def asked(self, number: int, params: Mapping[str, Json]) -> None:
        """Shows a proposal as running in the Optuna study whose turn it is."""
        self._view.asked(self._asked(number).name, number, self._trial(number, params, TrialState.RUNNING))

    def reason(self, number: int, told: Sequence[Told]) -> str:
        """Why the sampler proposed ``number``, in a sentence: who drew it, from how many recipes, the best so far."""
        aim = self._asked(number)
        scored = {one.number: one.outcomes[aim.name].values for one in _by_number(told) if _is_scored(one, aim)}
        values = {of: value for of, value in scored.items() if value is not None}
        count = f"{len(values)} scored recipe" + ("" if len(values) == 1 else "s")
        return f"Drawn by {self._name} for {aim.name}, which knows {count}{_best(aim, values)}."

    def tell(self, number: int, params: Mapping[str, Json], aim: str, outcome: Outcome) -> None:
        """Tells the aim's Optuna study what came of a recipe, or what is known of it now."""
        self._view.told(aim, number, self._finished(number, params, outcome))

    def reconcile(self, told: Sequence[Told]) -> None:
        """Makes Optuna's storage say what ``told`` says, dropping what a killed driver left unfinished."""
        for aim in self._aims:
            ended = [one for one in _by_number(told) if aim.name in one.outcomes]
            trials = [self._finished(one.number, one.params, one.outcomes[aim.name]) for one in ended]
            self._view.reset(aim.name, trials)

    def close(self) -> None:
        """Leaves no proposal running in Optuna's storage: the run that would have finished it ends."""
        for aim in self._aims:
            self._view.close(aim.name)

    def _asked(self, number: int) -> Aim:
        return self._aims[number % len(self._aims)]

    def _draws(self, number: int, aim: Aim, known: Sequence[FrozenTrial]) -> Iterator[dict[str, Json]]:
        for attempt in range(_REASKS):
            yield self._draw(self._sampler.draw, number, aim, known, attempt)
        for attempt in range(_REASKS, _REASKS + _RANDOM_REASKS):
            yield self._draw(draw_random, number, aim, known, attempt)

    def _draw(
        self,
        sampler: Callable[[Draw], dict[str, Any]],
        number: int,
        aim: Aim,
        known: Sequence[FrozenTrial],
        attempt: int,
    ) -> dict[str, Json]:
        parts = (self._seed, self._row, number, *((attempt,) if attempt else ()))
        draw = Draw(
            distributions=self._kinds,
            known=known,
            directions=aim.directions,
            row_seed=self._row_seed,
            seed=derive_seed(*parts),
            index=number + attempt,
        )
        return decode(self.space, sampler(draw))

    def _known(self, aim: Aim, told: Sequence[Told], taken: Sequence[Mapping[str, Json]]) -> list[FrozenTrial]:
        """Recipes with an outcome by number, then the others, which the sampler sees as running."""
        ended = [one for one in _by_number(told) if aim.name in one.outcomes]
        trials = [self._finished(one.number, one.params, one.outcomes[aim.name]) for one in ended]
        done = {canonical_json(one.params) for one in ended}
        waiting = [*taken, *(one.params for one in _by_number(told))]
        open_ones = {canonical_json(params): params for params in waiting if canonical_json(params) not in done}
        return trials + [self._trial(None, params, TrialState.RUNNING) for params in open_ones.values()]

    def _finished(self, number: int, params: Mapping[str, Json], outcome: Outcome) -> FrozenTrial:
        if outcome.is_scored:
            return self._trial(number, params, TrialState.COMPLETE, values=outcome.values)
        if outcome.pruned:
            return self._trial(number, params, TrialState.PRUNED, curve=outcome.curve)
        return self._trial(number, params, TrialState.FAIL)

    def _trial(
        self,
        number: int | None,
        params: Mapping[str, Json],
        state: TrialState,
        *,
        values: Sequence[float] | None = None,
        curve: Mapping[int, float] | None = None,
    ) -> FrozenTrial:
        attrs: dict[str, Any] = {} if number is None else {NUMBER: number, "stilts_params": dict(params)}
        drawn = encode(self.space, params)
        return create_trial(
            state=state,
            values=None if values is None else list(values),
            params=drawn,
            distributions={name: kind for name, kind in self._kinds.items() if name in drawn},
            user_attrs=attrs,
            intermediate_values=dict(curve or {}),
        )


def _by_number(told: Sequence[Told]) -> list[Told]:
    return sorted(told, key=lambda one: one.number)


def _is_scored(one: Told, aim: Aim) -> bool:
    return aim.name in one.outcomes and one.outcomes[aim.name].is_scored


def _best(aim: Aim, values: Mapping[int, tuple[float, ...]]) -> str:
    """The best recipe so far, or how many none beats in every objective, as the end of a sentence."""
    if not values:
        return ""
    front = [of for of, rank in zip(values, aim.ranks(list(values.values())), strict=True) if rank == 0]
    if len(aim.objectives) == 1:
        return f"; the best so far, number {front[0]}, has {values[front[0]][0]:.2f}"
    return f"; no other is better by every objective than number{'s' * (len(front) > 1)} {', '.join(map(str, front))}"
