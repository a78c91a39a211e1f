"""Policies without a model, that ``select`` has to beat: grids, random, best on average, successive halving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stilts.search.selecting.basket import Basket, Place
from stilts.search.selecting.observed import best_observed, on_other_targets, standardised
from stilts.search.selecting.policy import Budget, Choice, Observation, Question, Suggestion
from stilts.search.selecting.tally import Tally, tally


@dataclass(frozen=True, slots=True, kw_only=True)
class FullGrid:
    """Every cell with the first ``seeds`` seeds ; seed by seed, in the order of names."""

    seeds: int = 1

    def suggest(
        self, question: Question, observations: Sequence[Observation], budget: Budget, rng: np.random.Generator
    ) -> Suggestion:
        """All that is missing of the grid, as far as the budget goes."""
        basket = _basket(question, observations, budget)
        for seed in range(min(self.seeds, question.seeds)):
            for unit in _units(basket.tally, seed):
                basket.add(unit)
        return _said(basket, f"They are missing of a full grid of {self.seeds} seed(s).")

    def choose(self, question: Question, observations: Sequence[Observation]) -> tuple[Choice, ...]:
        """The best observed mean per target."""
        return best_observed(tally(question, observations))


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomCells:
    """Cells in random order, each once before any twice; whole rows where a source pays once."""

    def suggest(
        self, question: Question, observations: Sequence[Observation], budget: Budget, rng: np.random.Generator
    ) -> Suggestion:
        """Random cells for all of the budget."""
        basket = _basket(question, observations, budget)
        _fill_at_random(basket, rng)
        return _said(basket, "They were drawn at random.")

    def choose(self, question: Question, observations: Sequence[Observation]) -> tuple[Choice, ...]:
        """The best observed mean per target."""
        return best_observed(tally(question, observations))


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOnAverage:
    """Half of the budget on random cells; then, for each target, the sources that are best on the other targets."""

    explore: float = 0.5

    def suggest(
        self, question: Question, observations: Sequence[Observation], budget: Budget, rng: np.random.Generator
    ) -> Suggestion:
        """Random cells until half is spent, then the untried sources with the best average elsewhere."""
        basket = _basket(question, observations, budget)
        spent = basket.tally.spent()
        explore = self.explore * (spent + budget.left) - spent
        if explore > 0:
            trial_run = _basket(question, observations, Budget(left=explore, pending=budget.pending))
            _fill_at_random(trial_run, rng)
            if trial_run.places:
                return _said(trial_run, "They were drawn at random, to learn which sources are good on average.")
        for unit in _by_rank(basket.tally, on_other_targets(basket.tally)):
            basket.add(unit)
        return _said(basket, "Their sources are the best on the other targets.")

    def choose(self, question: Question, observations: Sequence[Observation]) -> tuple[Choice, ...]:
        """The best observed mean per target."""
        return best_observed(tally(question, observations))


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialHalving:
    """As many sources per target as half of the budget allows; from rung to rung survivors halve and seeds double.

    Karnin, Koren and Somekh 2013. Sources are drawn at random; where a foreign matrix or a cheap look orders them, that
    was the first rung, and the best go on for the whole budget (Jamieson and Talwalkar 2016).
    """

    keep: float = 0.5

    def suggest(
        self, question: Question, observations: Sequence[Observation], budget: Budget, rng: np.random.Generator
    ) -> Suggestion:
        """The next rung."""
        basket = _basket(question, observations, budget)
        total = basket.tally.spent() + budget.left
        if not basket.tally.taken.any():
            if question.priors:
                _promote(basket)
                return _said(basket, "The best at a cheap look go on to the full price.")
            _first_rung(basket, total * self.keep, rng)
            return _said(basket, "The first rung compares as many sources as the budget allows.")
        _double(basket, self.keep)
        return _said(basket, f"The best {self.keep:.0%} of each target's rung get as many seeds again.")

    def choose(self, question: Question, observations: Sequence[Observation]) -> tuple[Choice, ...]:
        """The best observed mean per target."""
        return best_observed(tally(question, observations))


def _basket(question: Question, observations: Sequence[Observation], budget: Budget) -> Basket:
    return Basket(tally(question, observations, budget.pending), budget.left)


def _said(basket: Basket, reason: str) -> Suggestion:
    trials = basket.trials()
    if trials:
        return Suggestion(trials=trials, reason=f"{len(trials)} trials. {reason}")
    more = basket.tally.free.any()
    return Suggestion(trials=(), reason="The budget is spent." if more else "Nothing is left to try.")


def _units(found: Tally, seed: int) -> list[list[Place]]:
    """What is bought together: single trials, or a source with all its targets where it pays once."""
    rows = [[(s, t, seed) for t in range(len(found.targets)) if found.exists[s, t]] for s in range(len(found.sources))]
    if found.question.staged:
        return [row for row in rows if row]
    return [[place] for row in rows for place in row]


def _fill_at_random(basket: Basket, rng: np.random.Generator) -> None:
    for seed in range(basket.tally.question.seeds):
        units = _units(basket.tally, seed)
        for index in rng.permutation(len(units)):
            basket.add(units[int(index)])


def _by_rank(found: Tally, value: np.ndarray) -> list[list[Place]]:
    """Units of every seed, the best source of each target first; rows by their mean value where a source pays once."""
    units: list[list[Place]] = []
    if found.question.staged:
        value = np.broadcast_to(value.mean(axis=1, keepdims=True), value.shape)
    rank = np.argsort(np.argsort(-value, axis=0, kind="stable"), axis=0)
    for seed in range(found.question.seeds):
        units += sorted(_units(found, seed), key=lambda unit: int(rank[unit[0][0], unit[0][1]]))
    return units


def _first_rung(basket: Basket, affordable: float, rng: np.random.Generator) -> None:
    """One seed, sources in a random order, target by target in turn."""
    found = basket.tally
    start = basket.left
    order = np.argsort(rng.random((len(found.sources), len(found.targets))), axis=0)
    rank = np.argsort(order, axis=0)
    for unit in sorted(_units(found, 0), key=lambda unit: int(rank[unit[0][0], unit[0][1]])):
        if start - basket.left + basket.price(unit) <= affordable * (1 + 1e-9):
            basket.add(unit)


def _promote(basket: Basket) -> None:
    """One seed of the best at the cheap look, as many per target as the whole budget buys."""
    low = basket.tally.priors[0]
    for unit in _by_rank(basket.tally, np.where(np.isfinite(low), low, -np.inf)):
        if unit[0][2] == 0:
            basket.add(unit)


def _double(basket: Basket, keep: float) -> None:
    """As many seeds again for the best of each target's cells with the most seeds; the whole budget, best first."""
    found = basket.tally
    counts = found.taken.sum(axis=2)
    value = standardised(found)
    if found.question.staged:
        value = np.nanmean(np.where(np.isfinite(value), value, 0.0), axis=1, keepdims=True) + 0 * counts
    wanted: list[tuple[int, list[Place]]] = []
    for t in range(len(found.targets)):
        top = counts[:, t].max()
        rung = [s for s in range(len(found.sources)) if counts[s, t] == top and top and np.isfinite(value[s, t])]
        rung.sort(key=lambda s: -value[s, t])
        for place, s in enumerate(rung[: max(1, math.ceil(keep * len(rung)))]):
            seeds = range(int(top), min(2 * int(top), found.question.seeds))
            wanted += [(place, [(s, t, seed)]) for seed in seeds]
    for _, unit in sorted(wanted, key=lambda item: item[0]):
        basket.add(unit)
