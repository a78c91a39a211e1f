"""Agreement: whether recipes that score higher on select score higher on report, target by target.

A search believes the scores on ``select``, under ``english_dev`` those of English alone. Here every recipe that has
both is looked at, those of fixed rows and every proposal, so that it shows where such scores may be believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

import pandas as pd

from stilts.analysis.matrix import replicate_scores
from stilts.analysis.proposals import of_search
from stilts.analysis.ranks import rank_correlation
from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, plain
from stilts.metrics.levels import LEVEL
from stilts.metrics.uncertainty import t_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How alike select and report rank the recipes of one target: Spearman's coefficient with its 95 % interval.

    The interval is Fisher's z with the variance of Bonett and Wright (2000); recipes count as independent, although
    those of one row are alike, and the same models have both scores, so it is rather too narrow, and each target stands
    by itself. ``lost`` is by how many points of report the recipe that is
    highest on select stays below the highest there: what choosing by select costs, and the highest is chosen on report,
    so a part of it is chance. ``gained`` is how far it lies above the mean of the recipes.
    """

    target: str
    languages: tuple[str, ...]
    num_recipes: int
    correlation: float
    low: float
    high: float
    lost: float
    gained: float

    @property
    def verdict(self) -> str:
        """Whether select may be believed there."""
        if self.low > 0:
            return "may be believed"
        return "misleads" if self.high < 0 else "not shown to say anything"

    def to_json(self) -> dict[str, Json]:
        """The agreement as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()} | {"verdict": self.verdict}


def agreements(results: StudyResults) -> tuple[Agreement, ...]:
    """One for each target with a selection score and at least four recipes that have both; made once."""
    return results.once("agreements", _agreements)


def _agreements(results: StudyResults) -> tuple[Agreement, ...]:
    select, report = (_by_recipe(results, use) for use in ("select", "report"))
    found = []
    for column in results.record.columns:
        if not column.select_languages:
            continue
        own, other = (scores.get(column.name, {}) for scores in (select, report))
        recipes = [recipe for recipe in own if recipe in other]
        agreement = agreement_of([own[one] for one in recipes], [other[one] for one in recipes])
        if agreement is not None:
            correlation, low, high = agreement
            chosen = max(recipes, key=lambda recipe: own[recipe])
            foreign = [other[recipe] for recipe in recipes]
            found.append(
                Agreement(
                    target=column.name,
                    languages=column.select_languages,
                    num_recipes=len(recipes),
                    correlation=correlation,
                    low=low,
                    high=high,
                    lost=max(foreign) - other[chosen],
                    gained=other[chosen] - fmean(foreign),
                )
            )
    return tuple(found)


def agreement_of(select: Sequence[float], report: Sequence[float]) -> tuple[float, float, float] | None:
    """Spearman's coefficient of two lists of scores with its interval; None for fewer than four, or a constant."""
    correlation = rank_correlation(select, report)
    if correlation is None:
        return None
    count = len(select)
    inner = max(-1.0 + count**-2, min(1.0 - count**-2, correlation))  # z of 1 is infinite
    half = t_quantile(0.5 + LEVEL / 2, None) * math.sqrt((1.0 + inner**2 / 2.0) / (count - 3))
    z = math.atanh(inner)
    return correlation, min(correlation, math.tanh(z - half)), max(correlation, math.tanh(z + half))


_Recipe = tuple[str, int | None]


def _by_recipe(results: StudyResults, use: str) -> Mapping[str, Mapping[_Recipe, float]]:
    """Mean scores over a recipe's replicates by target; fresh seeds that confirm a choice are left out."""
    table = replicate_scores(results.frame, use)
    fixed = table[table["proposal"].isna()]
    whole = pd.concat([fixed, of_search(table)])
    found: dict[str, dict[_Recipe, list[float]]] = {}
    for row, column, proposal, score in zip(
        *(whole[name] for name in ("row", "column", "proposal", "score")), strict=True
    ):
        if not pd.isna(score) and row in results.record.advisable:
            recipe = (str(row), None if pd.isna(proposal) else int(proposal))
            found.setdefault(str(column), {}).setdefault(recipe, []).append(float(score))
    return {column: {recipe: fmean(scores) for recipe, scores in recipes.items()} for column, recipes in found.items()}
