"""Confirmation: the chosen recipes of a searched row, trained again with seeds that bore on no choice.

The best of N proposals is lucky in its seed. So what a searched row reports are fresh seeds of what it chose, as many
as a fixed row has, and until they are done the row claims nothing. The choice is made once the search is over, and
kept in the store; where the study asks for more proposals later it is made again, and another recipe confirmed in turn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from stilts.ledger.records import CONFIRMATIONS, Confirmation
from stilts.metrics.objectives import TargetScores
from stilts.search.choice import ChosenProposal, choose, columns_of
from stilts.search.objective import Choosing, make_aims
from stilts.search.recipe_scores import RecipeScores, baseline_scores, is_scored, replicates_of
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.record import NONE_ROW
from stilts.study.search_space import Proposal


@dataclass(kw_only=True)
class RowConfirmation:
    """What is confirmed of one searched row; ``columns`` are all of the study's, ``selection`` its rule."""

    study: str
    row: str
    objectives: Sequence[str]
    columns: Sequence[Choosing]
    selection: str
    store: ArtifactStore
    chosen: Mapping[str, int] = field(default_factory=dict, init=False)
    _scores: RecipeScores = field(init=False)

    def __post_init__(self) -> None:
        self._scores = RecipeScores(store=self.store)

    def load(self) -> None:
        """Reads the choice that the store has; one that cannot be read is made again."""
        found = CONFIRMATIONS.known(self.store, self.study, self.row)
        self.chosen = dict(found.chosen) if found is not None else {}

    def confirmed(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """The proposals, the chosen ones with what they stand for and where they are confirmed."""
        return [self._of(proposal) for proposal in proposals]

    def choose(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> bool:
        """Chooses by what is done now, and keeps it; whether the choice is another than before.

        Nothing is chosen while ``none`` is not scored whose scores an objective compares with.
        """
        found = {} if self._waits_for_none(plan, done, hopeless) else self._choices(plan, done)
        numbers = {objective: choice.proposal for objective, choice in found.items()}
        if not numbers or numbers == self.chosen:
            return False
        record = Confirmation(
            row=self.row,
            chosen=numbers,
            reasons={objective: choice.reason for objective, choice in found.items()},
            time=time.time(),
        )
        CONFIRMATIONS.write(self.store, record, self.study, self.row)
        self.chosen = numbers
        return True

    def _of(self, proposal: Proposal) -> Proposal:
        objectives = tuple(name for name, number in self.chosen.items() if number == proposal.number)
        names = [column.name for column in self.columns]
        columns = [one for objective in objectives for one in columns_of(self.objectives, names, objective)]
        return replace(proposal, stands_for=objectives, confirms=tuple(dict.fromkeys(columns)))

    def _waits_for_none(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> bool:
        aims = make_aims(self.objectives, self.columns, self.selection)
        targets = dict.fromkeys(target for aim in aims if aim.over_none for target in aim.targets)
        none = replicates_of(NONE_ROW, plan.replicates).on(targets)
        return not all(one.evaluate_stage in hopeless or is_scored(one, done) for one in none)

    def _choices(self, plan: Plan, done: Set[str]) -> dict[str, ChosenProposal]:
        own = replicates_of(self.row, plan.replicates)
        scores: dict[int, dict[str, Mapping[str, float]]] = {}
        for column in (column.name for column in self.columns if column.select_languages):
            for number, group in own.by_column.get(column, {}).items():
                scored = [one for one in group if is_scored(one, done)]
                if number is not None and scored:
                    scores.setdefault(number, {})[column] = self._scores.over_seeds(scored)
        choosing = [column.name for column in self.columns if column.select_languages]
        none: TargetScores = baseline_scores(replicates_of(NONE_ROW, plan.replicates), choosing, done, self._scores)
        return choose(self.objectives, self.columns, self.selection, scores, none)
