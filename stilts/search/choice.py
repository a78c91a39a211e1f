"""Which recipe of a searched row stands for what it was searched for: the one choice that all of stilts knows.

One recipe stands per objective. Under ``per_target`` every column is an objective; one without selection scores
(retrieval under ``english_dev``, a probe) takes the recipe that is best elsewhere. Choices are made on ``select`` by
the search's own seeds; what they found is reported from fresh ones (``confirmation.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from stilts.metrics.averages import task_score
from stilts.metrics.objectives import TargetScores
from stilts.search.objective import PER_TARGET, Aim, Choosing, make_aims


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenProposal:
    """A proposal's number, and why it stands for an objective."""

    proposal: int
    reason: str


def choose(
    objectives: Sequence[str],
    columns: Sequence[Choosing],
    selection: str,
    scores: Mapping[int, TargetScores],
    none: TargetScores,
) -> dict[str, ChosenProposal]:
    """The proposal that stands for each objective; absent where none is scored on all that it needs.

    ``scores`` holds the selection scores by proposal, ``none`` the baseline's. Among equals the lowest number wins.
    Raises as ``make_aims`` does for objectives that the study may not choose by.
    """
    found: dict[str, ChosenProposal] = {}
    for aim in make_aims(objectives, columns, selection):
        for objective in aim.objectives:
            chosen = _best(Aim(objectives=(objective,)), scores, none)
            if chosen is not None:
                found[objective.name] = chosen
    if PER_TARGET in objectives:
        for column in columns:
            chosen = None if column.name in found else _best_elsewhere(column.name, tuple(found), scores)
            if chosen is not None:
                found[column.name] = chosen
    return found


def in_cells(objectives: Sequence[str], columns: Sequence[str], chosen: Mapping[str, int]) -> dict[str, int]:
    """The proposal that stands in each column's cell: its own under ``per_target``, else the first objective's."""
    by_column = {name: name if PER_TARGET in objectives else objectives[0] for name in columns}
    return {name: chosen[objective] for name, objective in by_column.items() if objective in chosen}


def columns_of(objectives: Sequence[str], columns: Sequence[str], objective: str) -> tuple[str, ...]:
    """The columns on which the recipe that stands for an objective is confirmed."""
    return (objective,) if PER_TARGET in objectives else tuple(columns)


def _best(aim: Aim, scores: Mapping[int, TargetScores], none: TargetScores) -> ChosenProposal | None:
    needed = set(aim.targets)
    if aim.over_none and not needed <= none.keys():
        return None
    values = {
        number: found
        for number, by_target in sorted(scores.items())
        if needed <= by_target.keys() and (found := aim.values(by_target, none)) is not None
    }
    if not values:
        return None
    number = min(values, key=lambda one: aim.losses(values[one]))
    return ChosenProposal(
        proposal=number,
        reason=f"It has the best selection score by {aim.name} of {len(values)} proposals, {values[number][0]:.2f}.",
    )


def _best_elsewhere(column: str, others: Sequence[str], scores: Mapping[int, TargetScores]) -> ChosenProposal | None:
    """The proposal furthest above the row's mean on the other columns, columns counting alike.

    Only proposals scored on the most columns are compared.
    """
    means = {
        number: {name: task_score(by_target[name]) for name in others if name in by_target}
        for number, by_target in sorted(scores.items())
    }
    most = max(map(len, means.values()), default=0)
    full = {number: by for number, by in means.items() if most and len(by) == most}
    if not full:
        return None
    names = {name for by in full.values() for name in by}
    middle = {name: fmean(by[name] for by in full.values() if name in by) for name in names}
    above = {number: fmean(score - middle[name] for name, score in by.items()) for number, by in full.items()}
    number = max(above, key=lambda one: above[one])
    return ChosenProposal(
        proposal=number,
        reason=f"{column} chooses nothing: of {len(full)} proposals it is the furthest above the row's mean elsewhere, "
        f"by {above[number]:.2f} points.",
    )
