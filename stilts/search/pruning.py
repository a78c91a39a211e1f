"""Pruning: which recipes stop early. Pure policies over the scores that a study has seen so far.

Only like is compared with like (DESIGN rule 5): recipes of one search space, on one target, at equal fractions of their
steps, by the target's selection score, which under ``english_dev`` is the English one. A ``RungHistory`` belongs to
one (search space, target), so unlike recipes cannot meet in it. An intermediate's score on its own task says
nothing about a target: ``target_score`` gives None for it, and without a score nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stilts.errors import InputError
from stilts.search.verdict import Verdict

# Two evaluations within this distance count as made at the same fraction: evaluations fall on whole steps.
FRACTION_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RungHistory:
    """Selection scores (0 to 100) of the recipes of one search space on one target, by recipe and fraction of steps."""

    space: str
    target: str
    scores: Mapping[str, Mapping[float, float]] = field(default_factory=dict)

    def with_score(self, recipe: str, fraction: float, score: float) -> RungHistory:
        """This history and one more score; a second score at the same fraction replaces the first."""
        own = {**self.scores.get(recipe, {}), fraction: score}
        return RungHistory(space=self.space, target=self.target, scores={**self.scores, recipe: own})

    def at(self, fraction: float) -> dict[str, float]:
        """Every recipe's score at the fraction, of those evaluated there (NaN left out)."""
        found = {recipe: _nearest(by_fraction, fraction) for recipe, by_fraction in self.scores.items()}
        return {recipe: score for recipe, score in found.items() if score is not None and not math.isnan(score)}


class PruningPolicy(Protocol):
    """Decides on one recipe after one evaluation; pure, so the same history gives the same verdict."""

    def decide(self, history: RungHistory, recipe: str, fraction: float, score: float) -> Verdict:
        """Whether the recipe stops at ``fraction`` (0 to 1) of its steps with this selection score (0 to 100)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPruning:
    """Every recipe runs to its end."""

    def decide(self, history: RungHistory, recipe: str, fraction: float, score: float) -> Verdict:
        """Never stops."""
        return Verdict(stop=False, reason="This study prunes nothing.")


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
        if not 0 < self.keep < 1 or not self.fractions or any(not 0 < f < 1 for f in self.fractions):
            raise InputError(
                "successive halving",
                f"keep is {self.keep} and fractions are {list(self.fractions)}",
                "Both are shares between 0 and 1, and a recipe at its end needs no pruning",
                "Set, for example, keep: 0.5 and fractions: [0.25, 0.5]",
            )

    def decide(self, history: RungHistory, recipe: str, fraction: float, score: float) -> Verdict:
        """Stops a recipe whose score is not among the best ``keep`` at this fraction."""
        if not any(abs(fraction - rung) <= FRACTION_TOLERANCE for rung in self.fractions):
            return Verdict(stop=False, reason=f"Nothing is compared at {fraction:.0%} of the steps.")
        if math.isnan(score):
            return Verdict(
                stop=True, reason=f"At {fraction:.0%} of its steps its score on {history.target} is not a number."
            )
        peers = {**history.at(fraction), recipe: score}
        if len(peers) < self.min_recipes:
            found = (
                f"Only {len(peers)} of {self.min_recipes} needed recipes have reached {fraction:.0%} of their steps."
            )
            return Verdict(stop=False, reason=found)
        ranked = sorted(peers.values(), reverse=True)
        bar = ranked[math.ceil(self.keep * len(ranked)) - 1]
        return Verdict(stop=score < bar, reason=_reason(history, fraction, score, ranked, bar))


def target_score(target: str, scores: Mapping[str, float], *, fine_tunes: str | None) -> float | None:
    """The target's selection score among a stage's scores by task, or None where it may decide nothing.

    ``fine_tunes`` is the target that the stage fine-tunes; None for an intermediate, which is never judged by its
    own task.
    """
    return scores.get(target) if fine_tunes == target else None


def _nearest(by_fraction: Mapping[float, float], fraction: float) -> float | None:
    close = [(abs(at - fraction), at) for at in by_fraction if abs(at - fraction) <= FRACTION_TOLERANCE]
    return by_fraction[min(close)[1]] if close else None


def _reason(history: RungHistory, fraction: float, score: float, ranked: list[float], bar: float) -> str:
    place = 1 + sum(other > score for other in ranked)
    num_kept = sum(other >= bar for other in ranked)
    fate = "stops" if score < bar else "goes on"
    return (
        f"At {fraction:.0%} of its steps its selection score on {history.target} is {score:.2f}, place {place} of "
        f"{len(ranked)} recipes of {history.space}; the best {num_kept} (from {bar:.2f}) go on, so it {fate}."
    )
