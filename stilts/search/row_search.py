"""RowSearch: the proposals of one searched row, and what is known of each.

Optuna is asked and told through the ProposalBook; whatever is told is read from the store's results, so a new
process knows the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stilts.fingerprint import Json, canonical_json
from stilts.ledger.decision import Decision, ProposalRecord, RowEnd
from stilts.search.deciding import Known, Situation
from stilts.search.outcome import Outcome, Told
from stilts.search.proposals import ProposalBook
from stilts.search.row_outcomes import RowOutcomes
from stilts.search.warm_start import WarmRecipe
from stilts.store.artifact_store import ArtifactStore
from stilts.study.search_space import Proposal


@dataclass(kw_only=True)
class RowSearch:
    """One searched row of one study: at most ``total`` proposals, each kept before it is run.

    The first ones are the recipes of ``warm``, if any: the best of an earlier study.
    """

    study: str
    row: str
    total: int
    book: ProposalBook
    store: ArtifactStore
    warm: Sequence[WarmRecipe] = ()
    proposals: list[Proposal] = field(default_factory=list, init=False)
    _exhausted: bool = field(default=False, init=False)
    end: RowEnd | None = field(default=None, init=False)
    _heard: dict[tuple[int, str], Outcome] = field(default_factory=dict, init=False)
    _outcomes: RowOutcomes = field(init=False)

    def __post_init__(self) -> None:
        self._outcomes = RowOutcomes(study=self.study, row=self.row, aims=self.book.aims, store=self.store)

    def reconcile(self, view: Known) -> None:
        """Makes Optuna's storage say what the store says."""
        told = self._told(view)
        self._heard = {(one.number, aim): outcome for one in told for aim, outcome in one.outcomes.items()}
        self.book.reconcile(told)

    def open_proposals(self, view: Known) -> int:
        """How many proposals are neither scored nor failed on every target."""
        return self._outcomes.num_open(view)

    @property
    def num_to_draw(self) -> int:
        """How many more may be drawn, as far as is known now."""
        return 0 if self._is_drawn or self.end is not None else self.total - len(self.proposals)

    def is_over(self, view: Known, budget: str) -> bool:
        """Whether no more is drawn under this budget, and each proposal is scored or given up on every target."""
        return (self._is_drawn or self._has_ended(budget)) and self.open_proposals(view) == 0

    def decide(self, view: Known, situation: Situation) -> Sequence[ProposalRecord | RowEnd]:
        """The next proposal, or that none is drawn any more for want of budget; nothing while enough are open.

        The next is the first number that has no record: one that was damaged and set aside is drawn anew, from what
        was known before it, and so it is the same again.
        """
        taken = {proposal.number for proposal in self.proposals}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        if self._is_drawn or self._has_ended(situation.budget):
            return ()
        if self.open_proposals(view) >= situation.slots:
            return ()
        if situation.ends:
            return (RowEnd(row=self.row, budget=situation.budget, reason=situation.ends),)
        record = self._warm_proposal(number)
        if record is None:
            told = [one for one in self._told(view) if one.number < number]
            params = self._drawn(number, told)
            if params is None:
                self._exhausted = True
                return ()
            record = ProposalRecord(row=self.row, number=number, params=params, reason=self.book.reason(number, told))
        return (record,)

    def took(self, decision: Decision) -> bool:
        """Goes on from what was drawn."""
        if isinstance(decision, RowEnd) and decision.row == self.row:
            self.end = decision
        if not isinstance(decision, ProposalRecord) or decision.row != self.row or decision.number >= self.total:
            return False
        self.end = None
        own = {one.number: one for one in self.proposals}
        own[decision.number] = Proposal(number=decision.number, params=dict(decision.params))
        self.proposals = [own[number] for number in sorted(own)]
        return True

    def tell(self, view: Known) -> None:
        """Tells Optuna whatever became known, or changed, since it was told last."""
        for one in self._told(view):
            for aim, outcome in one.outcomes.items():
                if self._heard.get((one.number, aim)) != outcome:
                    self._heard[one.number, aim] = outcome
                    self.book.tell(one.number, one.params, aim, outcome)

    def close(self) -> None:
        """Leaves nothing running in Optuna's storage: the run ends."""
        self.book.close()

    def _warm_proposal(self, number: int) -> ProposalRecord | None:
        """The next recipe of the earlier study that was not proposed yet, as it is recorded."""
        taken = {canonical_json(proposal.params) for proposal in self.proposals}
        left = [recipe for recipe in self.warm if canonical_json(recipe.params) not in taken]
        if number >= len(self.warm) or not left:
            return None
        params = dict(left[0].params)
        self.book.asked(number, params)
        return ProposalRecord(row=self.row, number=number, params=params, origin=left[0].origin, reason=left[0].reason)

    def _drawn(self, number: int, told: Sequence[Told]) -> dict[str, Json] | None:
        """The recipe of a number, given what came before; another where a later proposal has that one."""
        params = self.book.ask(number, told, [one.params for one in self.proposals if one.number < number])
        later = [one.params for one in self.proposals if one.number > number]
        if params is None or canonical_json(params) not in map(canonical_json, later):
            return params
        return self.book.ask(number, told, [one.params for one in self.proposals])

    @property
    def _is_drawn(self) -> bool:
        return self._exhausted or len(self.proposals) >= self.total

    def _has_ended(self, budget: str) -> bool:
        """Whether the row ended for want of budget, and the budget is the same."""
        return self.end is not None and self.end.budget == budget

    def _told(self, view: Known) -> list[Told]:
        return self._outcomes.told(self.proposals, view)
