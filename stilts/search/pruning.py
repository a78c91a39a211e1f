"""Pruning: which recipes stop early. Pure rules over the scores that a study has seen so far.

Recipes of one search space are compared on one target, at equal fractions of their steps, by the target's selection
score, which under ``english_dev`` is the English one (``rung_history.py``). An intermediate's score on its own task
says nothing about a target: ``target_score`` gives None for it, and without a score nothing is decided. What is
seen and decided is kept by ``rungs.py``; the paired test has its own file, ``wilcoxon_pruning.py``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stilts.errors import InputError
from stilts.search.rung_history import Rung, RungHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a rule says of one recipe at one evaluation; ``reason`` is a sentence with the numbers that it rests on.

    ``peers`` holds the figure (0 to 100) of every other recipe that it was compared with, by recipe.
    """

    stop: bool
    reason: str
    peers: Mapping[str, float] = field(default_factory=dict)


class PruningRule(Protocol):
    """Rules on one recipe after one evaluation; pure, so the same history gives the same ruling."""

    @property
    def label(self) -> str:
        """The rule's name with its settings, as records keep it."""

    def rule(self, history: RungHistory, rung: Rung) -> Ruling:
        """Whether the recipe stops after this evaluation; ``history`` holds those before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPruning:
    """Every recipe runs to its end."""

    @property
    def label(self) -> str:
        """``none``."""
        return "none"

    def rule(self, history: RungHistory, rung: Rung) -> Ruling:
        """Never stops."""
        return Ruling(stop=False, reason="This study prunes nothing.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessiveHalving:
    """At each of ``fractions`` of its steps a recipe goes on if it is among the best ``keep`` of those seen there.

    Asynchronous (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", algorithm 2): a recipe is
    compared with whoever reached the fraction before it and waits for nobody. ``keep`` is a share in (0, 1); of n
    recipes ceil(keep * n) go on, and nobody stops before ``min_recipes`` have arrived. Equal scores go on together.
    """

    fractions: tuple[float, ...] = (0.25, 0.5)
    keep: float = 0.5
    min_recipes: int = 3

    def __post_init__(self) -> None:
        check_fractions("successive halving", self.fractions)
        if not 0 < self.keep < 1:
            raise InputError(
                "successive halving",
                f"keep is {self.keep}",
                "It is a share between 0 and 1",
                "Set, for example, keep_frac: 0.5",
            )

    @property
    def label(self) -> str:
        """The rule with its settings."""
        return f"successive_halving(keep_frac={self.keep:g}, {settings(self.fractions, self.min_recipes)})"

    def rule(self, history: RungHistory, rung: Rung) -> Ruling:
        """Stops a recipe whose score is not among the best ``keep`` at this fraction."""
        early = not_compared(history, rung, self.fractions, self.min_recipes)
        if early is not None:
            return early
        peers = {recipe: one.score for recipe, one in history.peers(rung).items()}
        ranked = sorted([*peers.values(), rung.score], reverse=True)
        bar = ranked[math.ceil(self.keep * len(ranked)) - 1]
        place = 1 + sum(other > rung.score for other in ranked)
        num_kept = sum(other >= bar for other in ranked)
        stop = rung.score < bar
        reason = (
            f"{opening(history, rung)} is {rung.score:.2f}, place {place} of {len(ranked)} recipes of {history.space}; "
            f"the best {num_kept} (from {bar:.2f}) go on, so it {fate(stop)}."
        )
        return Ruling(stop=stop, reason=reason, peers=peers)


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianRule:
    """A recipe stops where its best score so far is below the median of the other recipes' running averages there.

    The rule of Golovin et al. 2017 ("Google Vizier", section 3.2.2): an average runs over all evaluations that a recipe
    has had up to the fraction. It is asked at each of ``fractions``, of recipes that have got as far, and never before
    ``min_recipes`` have, the judged one included.
    """

    fractions: tuple[float, ...] = (0.25, 0.5)
    min_recipes: int = 3

    def __post_init__(self) -> None:
        check_fractions("median pruning", self.fractions)

    @property
    def label(self) -> str:
        """The rule with its settings."""
        return f"median({settings(self.fractions, self.min_recipes)})"

    def rule(self, history: RungHistory, rung: Rung) -> Ruling:
        """Stops a recipe whose best score so far is below the median."""
        early = not_compared(history, rung, self.fractions, self.min_recipes)
        if early is not None:
            return early
        peers = {recipe: statistics.fmean(history.until(recipe, rung.fraction)) for recipe in history.peers(rung)}
        best = max([*history.until(rung.recipe, rung.fraction), rung.score])
        median = statistics.median(peers.values())
        stop = best < median
        reason = (
            f"Until {rung.fraction:.0%} of its steps its best selection score on {history.target} is {best:.2f}; the "
            f"median of the running averages of {len(peers)} other recipes of {history.space} is {median:.2f}, "
            f"so it {fate(stop)}."
        )
        return Ruling(stop=stop, reason=reason, peers=peers)


def target_score(target: str, scores: Mapping[str, float], *, fine_tunes: str | None) -> float | None:
    """The target's selection score among a stage's scores by task, or None where it may decide nothing.

    ``fine_tunes`` is the target that the stage fine-tunes; None for an intermediate, which is never judged by its
    own task.
    """
    return scores.get(target) if fine_tunes == target else None


def not_compared(history: RungHistory, rung: Rung, fractions: tuple[float, ...], min_recipes: int) -> Ruling | None:
    """The ruling where there is nothing to compare: no rung, no number, or too few recipes; else None."""
    if not any(history.is_new_at(rung, at) for at in fractions):
        return Ruling(stop=False, reason=f"Nothing is compared at {rung.fraction:.0%} of the steps.")
    if math.isnan(rung.score):
        return Ruling(stop=True, reason=f"{opening(history, rung)} is not a number.")
    there = 1 + len(history.peers(rung))
    if there < min_recipes:
        found = f"Only {there} of {min_recipes} needed recipes have reached {rung.fraction:.0%} of their steps."
        return Ruling(stop=False, reason=found)
    return None


def check_fractions(what: str, fractions: tuple[float, ...]) -> None:
    """Raises InputError unless there are fractions, all between 0 and 1."""
    if not fractions or any(not 0 < at < 1 for at in fractions):
        raise InputError(
            what,
            f"fractions are {list(fractions)}",
            "They are shares between 0 and 1, and a recipe at its end needs no pruning",
            "Set, for example, at_fracs: [0.25, 0.5]",
        )


def opening(history: RungHistory, rung: Rung) -> str:
    """How a reason begins."""
    return f"At {rung.fraction:.0%} of its steps its selection score on {history.target}"


def fate(stop: bool) -> str:
    """How a reason ends."""
    return "stops" if stop else "goes on"


def settings(fractions: tuple[float, ...], min_recipes: int) -> str:
    """The settings that all policies share, in words of the study file."""
    return f"at_fracs={', '.join(f'{at:g}' for at in fractions)}, min_recipes={min_recipes}"
