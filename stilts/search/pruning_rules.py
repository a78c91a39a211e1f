"""The pruning rules by the names that study files give them."""

from __future__ import annotations

from stilts.search.pruning import MedianRule, NoPruning, PruningRule, SuccessiveHalving
from stilts.search.wilcoxon_pruning import WilcoxonRule
from stilts.study.schema import Pruning


def pruning_rule(wanted: Pruning) -> PruningRule:
    """The rule that a study file asks for."""
    at = wanted.at_fracs
    if wanted.policy == "successive_halving":
        return SuccessiveHalving(fractions=at, keep=wanted.keep_frac, min_recipes=wanted.min_recipes or 3)
    if wanted.policy == "median":
        return MedianRule(fractions=at, min_recipes=wanted.min_recipes or 3)
    if wanted.policy == "wilcoxon":
        least = wanted.min_recipes or 2
        return WilcoxonRule(fractions=at, alpha=wanted.alpha, min_items=wanted.min_items, min_recipes=least)
    return NoPruning()
