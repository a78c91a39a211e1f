"""RowSearch: the proposals of one searched row, kept in the store, and what is known of each.

Optuna is asked and told through the ProposalBook; whatever is told is read from the store's results, so a new
process knows the same.
"""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from stilts.fingerprint import Json, canonical_json
from stilts.ledger.records import PROPOSALS, ProposalRecord, number_part
from stilts.search.outcome import Outcome, Told
from stilts.search.proposals import ProposalBook
from stilts.search.row_outcomes import RowOutcomes
from stilts.search.warm_start import WarmRecipe
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.search_space import Proposal


@dataclass(kw_only=True)
class RowSearch:
    """One searched row of one study: at most ``total`` proposals, each recorded before it is run.

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
    _heard: dict[tuple[int, str], Outcome] = field(default_factory=dict, init=False)
    _outcomes: RowOutcomes = field(init=False)

    def __post_init__(self) -> None:
        self._outcomes = RowOutcomes(study=self.study, row=self.row, aims=self.book.aims, store=self.store)

    def load(self) -> None:
        """Reads the proposals that the store has."""
        records = PROPOSALS.all(self.store, self.study, self.row).all_good().values()
        found = [Proposal(number=record.number, params=dict(record.params)) for record in records]
        self.proposals = sorted(found, key=lambda proposal: proposal.number)[: self.total]

    def reconcile(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> None:
        """Makes Optuna's storage say what the store says."""
        told = self._told(plan, done, hopeless)
        self._heard = {(one.number, aim): outcome for one in told for aim, outcome in one.outcomes.items()}
        self.book.reconcile(told)

    def open_proposals(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> int:
        """How many proposals are neither scored nor failed on every target."""
        return self._outcomes.num_open(plan, done, hopeless)

    def is_over(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> bool:
        """Whether all its proposals are drawn, and each is scored or given up on every target."""
        drawn = self._exhausted or len(self.proposals) >= self.total
        return drawn and self.open_proposals(plan, done, hopeless) == 0

    def propose(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> bool:
        """Draws and records the next proposal; False when the row has all it may have.

        The next is the first number that has no record: one that was damaged and set aside is drawn anew, from what
        was known before it, and so it is the same again.
        """
        taken = {proposal.number for proposal in self.proposals}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        if number >= self.total or self._exhausted:
            return False
        record = self._warm_proposal(number)
        if record is None:
            told = [one for one in self._told(plan, done, hopeless) if one.number < number]
            params = self._drawn(number, told)
            if params is None:
                self._exhausted = True
                return False
            reason = self.book.reason(number, told)
            record = ProposalRecord(number=number, params=params, reason=reason, time=time.time())
        self._record(record)
        return True

    def tell(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> None:
        """Tells Optuna whatever became known, or changed, since it was told last."""
        for one in self._told(plan, done, hopeless):
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
        return ProposalRecord(
            number=number, params=params, origin=left[0].origin, reason=left[0].reason, time=time.time()
        )

    def _drawn(self, number: int, told: Sequence[Told]) -> dict[str, Json] | None:
        """The recipe of a number, given what came before; another where a later proposal has that one."""
        params = self.book.ask(number, told, [one.params for one in self.proposals if one.number < number])
        later = [one.params for one in self.proposals if one.number > number]
        if params is None or canonical_json(params) not in map(canonical_json, later):
            return params
        return self.book.ask(number, told, [one.params for one in self.proposals])

    def _record(self, record: ProposalRecord) -> None:
        own = number_part(record.number)
        if PROPOSALS.write(self.store, record, self.study, self.row, own, create_only=True):
            self.proposals.append(Proposal(number=record.number, params=dict(record.params)))
            self.proposals.sort(key=lambda proposal: proposal.number)
        else:  # another driver of the same study drew it first
            self.load()

    def _told(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> list[Told]:
        return self._outcomes.told(self.proposals, plan, done, hopeless)
