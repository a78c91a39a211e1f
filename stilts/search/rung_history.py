"""RungHistory: what the recipes of one search space scored on one target while they trained, as pure values.

A rung is a share of a recipe's steps at which recipes are compared. Only like is compared with like (DESIGN rule 5):
a history belongs to one (search space, target), so unlike recipes cannot meet in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from stilts.metrics.item_scores import ByLanguage

# Two evaluations within this distance count as made at the same fraction: evaluations fall on whole steps.
FRACTION_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One recipe's evaluation at ``fraction`` (0 to 1) of its steps.

    ``score`` is its selection score (0 to 100), ``items`` the score of each example by language, where it is known.
    """

    recipe: str
    fraction: float
    score: float
    items: ByLanguage = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RungHistory:
    """The evaluations of the recipes of one search space on one target, by recipe and fraction of steps."""

    space: str
    target: str
    rungs: Mapping[str, Mapping[float, Rung]] = field(default_factory=dict)

    def with_rung(self, rung: Rung) -> RungHistory:
        """This history and one more evaluation; a second one at the same fraction replaces the first."""
        own = {**self.rungs.get(rung.recipe, {}), rung.fraction: rung}
        return RungHistory(space=self.space, target=self.target, rungs={**self.rungs, rung.recipe: own})

    def peers(self, rung: Rung) -> dict[str, Rung]:
        """The evaluation at the rung's fraction of every other recipe that has one there (NaN left out)."""
        found = {
            recipe: _nearest(by_fraction, rung.fraction)
            for recipe, by_fraction in self.rungs.items()
            if recipe != rung.recipe
        }
        return {recipe: one for recipe, one in found.items() if one is not None and not math.isnan(one.score)}

    def until(self, recipe: str, fraction: float) -> list[float]:
        """The recipe's scores up to a fraction of its steps, the earliest first (NaN left out)."""
        own = self.rungs.get(recipe, {})
        passed = [own[at].score for at in sorted(own) if at <= fraction + FRACTION_TOLERANCE]
        return [score for score in passed if not math.isnan(score)]

    def is_new_at(self, rung: Rung, compared_at: float) -> bool:
        """Whether this is the recipe's first evaluation near ``compared_at``: a rung is passed once."""
        near = abs(rung.fraction - compared_at) <= FRACTION_TOLERANCE
        earlier = [at for at in self.rungs.get(rung.recipe, {}) if at < rung.fraction]
        return near and not any(abs(at - compared_at) <= FRACTION_TOLERANCE for at in earlier)


def _nearest(by_fraction: Mapping[float, Rung], fraction: float) -> Rung | None:
    close = [(abs(at - fraction), at) for at in by_fraction if abs(at - fraction) <= FRACTION_TOLERANCE]
    return by_fraction[min(close)[1]] if close else None
