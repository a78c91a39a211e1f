"""Confirmation: the chosen recipes of a searched row, trained again with seeds that bore on no choice.

The best of N proposals is lucky in its seed. So what a searched row reports are fresh seeds of what it chose, as many
as a fixed row has, and until they are done the row claims nothing. The choice is made once the search is over; where
the study asks for more proposals later it is made again, and another recipe confirmed in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from stilts.ledger.decision import Confirmation, Decision
from stilts.search.choice import ChosenProposal, choose, columns_of
from stilts.search.deciding import Known, Situation
from stilts.search.objective import Choosing, make_aims
from stilts.search.price import still_to_come
from stilts.search.recipe_scores import RecipeScores, baseline_scores, is_scored, replicates_of
from stilts.store.artifact_store import ArtifactStore
from stilts.study.cost import StillToCome
from stilts.study.record import NONE_ROW
from stilts.study.search_space import Proposal


@dataclass(kw_only=True)
class RowConfirmation:
    """What is confirmed of one searched row; ``columns`` are all of the study's, ``selection`` its rule.

    ``replicates`` is how many replicates confirm a recipe, by column.
    """

    row: str
    objectives: Sequence[str]
    columns: Sequence[Choosing]
    selection: str
    replicates: Mapping[str, int]
    store: ArtifactStore
    chosen: Mapping[str, int] = field(default_factory=dict, init=False)
    _scores: RecipeScores = field(init=False)

    def __post_init__(self) -> None:
        self._scores = RecipeScores(store=self.store)

    def confirmed(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """The proposals, the chosen ones with what they stand for and where they are confirmed."""
        return [self._of(proposal) for proposal in proposals]

    def decide(self, view: Known, situation: Situation) -> list[Confirmation]:
        """The choice by what is done now, if it is another than before; it is asked once the row's search is over.

        Nothing is chosen while ``none`` is not scored whose scores an objective compares with.
        """
        found = {} if self._waits_for_none(view) else self._choices(view)
        numbers = {objective: choice.proposal for objective, choice in found.items()}
        if not numbers or numbers == self.chosen:
            return []
        reasons = {objective: choice.reason for objective, choice in found.items()}
        return [Confirmation(row=self.row, chosen=numbers, reasons=reasons)]

    def took(self, decision: Decision) -> bool:
        """Goes on from what was chosen."""
        if not isinstance(decision, Confirmation) or decision.row != self.row:
            return False
        self.chosen = dict(decision.chosen)
        return True

    @property
    def still(self) -> StillToCome:
        """What a confirmation adds to the plan, at most."""
        return still_to_come(self.row, self.objectives, self.replicates)

    def _of(self, proposal: Proposal) -> Proposal:
        objectives = tuple(name for name, number in self.chosen.items() if number == proposal.number)
        names = [column.name for column in self.columns]
        columns = [one for objective in objectives for one in columns_of(self.objectives, names, objective)]
        return replace(proposal, stands_for=objectives, confirms=tuple(dict.fromkeys(columns)))

    def _waits_for_none(self, view: Known) -> bool:
        aims = make_aims(self.objectives, self.columns, self.selection)
        targets = dict.fromkeys(target for aim in aims if aim.over_none for target in aim.targets)
        none = replicates_of(NONE_ROW, view.plan.replicates).on(targets)
        return not all(one.evaluate_stage in view.hopeless or is_scored(one, view.done) for one in none)

    def _choices(self, view: Known) -> dict[str, ChosenProposal]:
        own, base = (replicates_of(row, view.plan.replicates) for row in (self.row, NONE_ROW))
        choosing = [column.name for column in self.columns if column.select_languages]
        scores: dict[int, dict[str, Mapping[str, float]]] = {}
        for column in choosing:
            for number, group in own.by_column.get(column, {}).items():
                scored = [one for one in group if is_scored(one, view.done)]
                if number is not None and scored:
                    scores.setdefault(number, {})[column] = self._scores.over_seeds(scored)
        none = baseline_scores(base, choosing, view.done, self._scores)
        return choose(self.objectives, self.columns, self.selection, scores, none)
