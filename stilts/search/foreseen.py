"""What a search will add to its plan: the plan as it will be once every recipe is drawn and what is found confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optuna.distributions import BaseDistribution

from stilts.search.draw import Draw
from stilts.search.encoding import decode, distributions
from stilts.search.objective import PER_TARGET
from stilts.search.samplers import draw_random
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_schema import Search
from stilts.study.search_space import Proposal
from stilts.study.settings import search_space


def foreseen_plan(
    resolved: ResolvedStudy, recipes: Mapping[str, Sequence[Proposal]], to_draw: Mapping[str, int]
) -> Plan:
    """The plan with so many made-up recipes more per searched row, and with made-up choices where none is made yet.

    It is the most that the study comes to, but for the seeds that a race grants: pruning and a budget leave some out,
    and two columns may choose one recipe. The made-up recipes are never run.
    """
    study = resolved.study
    found = {}
    for row, search in ((row, content.search) for row, content in study.rows.items() if content.search is not None):
        known = list(recipes.get(row, ()))
        proposals = [*known, *_made_up(search, known, to_draw.get(row, 0))]
        is_open = search.confirm and not any(one.stands_for for one in known)
        found[row] = _confirmed(proposals, search, list(study.columns)) if is_open else proposals
    return make_plan(resolved, found)


def num_to_draw(resolved: ResolvedStudy, recipes: Mapping[str, Sequence[Proposal]]) -> dict[str, int]:
    """How many recipes each searched row may still draw."""
    rows = resolved.study.rows.items()
    searches = {row: content.search for row, content in rows if content.search is not None}
    return {row: max(0, search.proposals - len(recipes.get(row, ()))) for row, search in searches.items()}


def _made_up(search: Search, known: Sequence[Proposal], count: int) -> list[Proposal]:
    """Recipes at random, always the same ones, with the seeds that a recipe begins with."""
    space = search_space(search)
    kinds = distributions(space)
    first = max((one.number for one in known), default=-1) + 1
    seeds = search.seeds if search.racing.policy == "none" else 1
    return [
        Proposal(number=number, params=decode(space, draw_random(_draw(kinds, number))), seeds=seeds)
        for number in range(first, first + count)
    ]


def _draw(kinds: Mapping[str, BaseDistribution], number: int) -> Draw:
    return Draw(distributions=kinds, known=(), directions=("maximize",), row_seed=0, seed=number, index=number)


def _confirmed(proposals: Sequence[Proposal], search: Search, columns: Sequence[str]) -> list[Proposal]:
    """The proposals, as many of them chosen as there can be: per target one for each column, else one per objective."""
    if PER_TARGET in search.objectives:
        choices: list[Sequence[str]] = [[column] for column in columns]
    else:
        choices = [columns for _ in search.objectives]
    made = list(proposals)
    for number, confirmed in enumerate(choices if made else ()):
        one = made[number % len(made)]
        made[number % len(made)] = replace(one, confirms=tuple(dict.fromkeys([*one.confirms, *confirmed])))
    return made
