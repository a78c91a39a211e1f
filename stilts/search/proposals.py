"""ProposalBook: asks for the values of a searched row, and tells what came of them.

A recipe is trained once and scored on every target that wants it, so each target's Optuna study is told of every
recipe, whoever asked for it. The store's proposal records and results are the truth; Optuna's storage is what
``optuna-dashboard`` shows and is rebuilt from them (``reconcile``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from stilts.errors import InputError
from stilts.fingerprint import Json, canonical_json
from stilts.search.encoding import decode, distributions, encode
from stilts.search.optuna_view import OptunaView
from stilts.search.samplers import Draw, Sampler, draw_random, find_sampler
from stilts.seeds import derive_seed
from stilts.study.search_space import SearchSpace

optuna.logging.set_verbosity(optuna.logging.WARNING)

_REASKS = 20
# Enough to find the last free one of 100 equally likely recipes but once in 20,000 searches.
_RANDOM_REASKS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of one proposal: its selection score by target (0 to 100); None where the target failed.

    A target that is missing has not been scored yet.
    """

    number: int
    params: Mapping[str, Json]
    scores: Mapping[str, float | None]


class ProposalBook:
    """The proposals of one searched row: one Optuna study per target, named ``<study>/<row>/<target>``.

    ``storage_url`` is an SQLAlchemy URL, ``journal:<file>``, or None for memory. Raises UnknownNameError for an
    unknown sampler and StoreError where the storage cannot be used.
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
        targets: Sequence[str],
    ) -> None:
        if not targets:
            raise InputError(
                f'searched row "{row}"',
                "no target of the study has a selection score",
                "A search climbs by selection scores; under english_dev retrieval targets have none",
                'Add a target with selection data, or set "selection: target_dev"',
            )
        self._row_seed = derive_seed(seed, row)
        self._seed, self._row, self._space, self._targets = seed, row, space, tuple(targets)
        self._sampler = find_sampler(sampler)
        names = {target: f"{study_name}/{row}/{target}" for target in self._targets}
        self._view = OptunaView(storage_url, names)

    def ask(
        self, number: int, told: Sequence[Told], taken: Sequence[Mapping[str, Json]] = ()
    ) -> dict[str, Json] | None:
        """The parameters of proposal ``number``, or None when every recipe of the space has been proposed.

        ``taken`` holds the parameters of all earlier proposals of the row, in order; none of them comes back. The
        answer depends on (seed, row, number, told, taken) only, and not on the order of ``told``.
        """
        target = self._targets[number % len(self._targets)]
        seen = {canonical_json(params) for params in [*taken, *(one.params for one in told)]}
        known = self._known(target, told, taken)
        for params in self._draws(number, known):
            if canonical_json(params) not in seen:
                self._view.asked(target, number, self._trial(number, params, TrialState.RUNNING))
                return params
        return None

    def tell(self, number: int, params: Mapping[str, Json], target: str, score: float | None) -> None:
        """Tells the target's Optuna study of a recipe, once: a score, or None or NaN where the target failed.

        Targets without an Optuna study (they have no selection score) are passed over.
        """
        if target in self._targets:
            self._view.told(target, number, self._scored(number, params, score))

    def reconcile(self, told: Sequence[Told]) -> None:
        """Makes Optuna's storage say what ``told`` says, dropping what a killed driver left unfinished."""
        for target in self._targets:
            scored = [one for one in _by_number(told) if target in one.scores]
            self._view.reset(target, [self._scored(one.number, one.params, one.scores[target]) for one in scored])

    def _draws(self, number: int, known: Sequence[FrozenTrial]) -> Iterator[dict[str, Json]]:
        for attempt in range(_REASKS):
            yield self._draw(self._sampler, number, known, attempt)
        for attempt in range(_REASKS, _REASKS + _RANDOM_REASKS):
            yield self._draw(draw_random, number, known, attempt)

    def _draw(self, sampler: Sampler, number: int, known: Sequence[FrozenTrial], attempt: int) -> dict[str, Json]:
        parts = (self._seed, self._row, number, *((attempt,) if attempt else ()))
        draw = Draw(
            distributions=distributions(self._space),
            known=known,
            row_seed=self._row_seed,
            seed=derive_seed(*parts),
            index=number + attempt,
        )
        return decode(self._space, sampler(draw))

    def _known(self, target: str, told: Sequence[Told], taken: Sequence[Mapping[str, Json]]) -> list[FrozenTrial]:
        """Scored recipes by number, then the unscored ones, which the sampler sees as running."""
        scored = [one for one in _by_number(told) if target in one.scores]
        trials = [self._scored(one.number, one.params, one.scores[target]) for one in scored]
        done = {canonical_json(one.params) for one in scored}
        waiting = [*taken, *(one.params for one in _by_number(told))]
        unscored = {canonical_json(params): params for params in waiting if canonical_json(params) not in done}
        return trials + [self._trial(None, params, TrialState.RUNNING) for params in unscored.values()]

    def _scored(self, number: int, params: Mapping[str, Json], score: float | None) -> FrozenTrial:
        if score is None or math.isnan(score):
            return self._trial(number, params, TrialState.FAIL)
        return self._trial(number, params, TrialState.COMPLETE, score)

    def _trial(
        self, number: int | None, params: Mapping[str, Json], state: TrialState, score: float | None = None
    ) -> FrozenTrial:
        attrs: dict[str, Any] = {} if number is None else {"stilts_number": number, "stilts_params": dict(params)}
        return create_trial(
            state=state,
            value=score,
            params=encode(self._space, params),
            distributions=distributions(self._space),
            user_attrs=attrs,
        )


def _by_number(told: Sequence[Told]) -> list[Told]:
    return sorted(told, key=lambda one: one.number)
