"""RowSearch: the proposals of one searched row, kept in the store, and what is known of each.

Optuna is asked and told through the ProposalBook; whatever is told is read from the store's results, so a new
process knows the same.
"""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass, field

from stilts.errors import StoreError
from stilts.fingerprint import Json
from stilts.search.proposals import ProposalBook, Told
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.record import Replicate
from stilts.study.search_space import Proposal
from stilts.study.stage import Use


@dataclass(kw_only=True)
class RowSearch:
    """One searched row of one study: at most ``total`` proposals, each recorded before it is run."""

    study: str
    row: str
    total: int
    book: ProposalBook
    store: ArtifactStore
    proposals: list[Proposal] = field(default_factory=list, init=False)
    _exhausted: bool = field(default=False, init=False)
    _heard: set[tuple[int, str]] = field(default_factory=set, init=False)

    def load(self) -> None:
        """Reads the proposals that the store has."""
        self.proposals = []
        for name in self.store.records(f"studies/{self.study}/proposals/{self.row}/")[: self.total]:
            value = self.store.read_record(name)
            if not isinstance(value, dict) or not isinstance(value["params"], dict):
                raise StoreError(
                    f"record {name}", "it is no proposal", "", "Restore it, or give the study another name"
                )
            self.proposals.append(Proposal(number=int(str(value["number"])), params=value["params"]))

    def reconcile(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> None:
        """Makes Optuna's storage say what the store says."""
        told = self._told(plan, done, hopeless)
        self._heard = {(one.number, column) for one in told for column in one.scores}
        self.book.reconcile(told)

    def open_proposals(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> int:
        """How many proposals are neither scored nor failed on every target."""
        open_numbers = {
            replicate.proposal
            for replicate in self._replicates(plan)
            if replicate.evaluate_stage not in hopeless and not _scored(replicate, done)
        }
        return len(open_numbers)

    def propose(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> bool:
        """Draws and records the next proposal; False when the row has all it may have."""
        number = len(self.proposals)
        if number >= self.total or self._exhausted:
            return False
        taken = [proposal.params for proposal in self.proposals]
        params = self.book.ask(number, self._told(plan, done, hopeless), taken)
        if params is None:
            self._exhausted = True
            return False
        record = f"studies/{self.study}/proposals/{self.row}/{number:04d}"
        value: Json = {"number": number, "params": dict(params), "time": time.time()}
        if self.store.write_record(record, value, create_only=True):
            self.proposals.append(Proposal(number=number, params=params))
        else:  # another driver of the same study drew it first
            self.load()
        return True

    def tell(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> None:
        """Tells Optuna whatever became known since it was told last."""
        for one in self._told(plan, done, hopeless):
            for column, score in one.scores.items():
                if (one.number, column) not in self._heard:
                    self._heard.add((one.number, column))
                    self.book.tell(one.number, one.params, column, score)

    def _told(self, plan: Plan, done: Set[str], hopeless: Set[str]) -> list[Told]:
        known: dict[int, dict[str, float | None]] = {proposal.number: {} for proposal in self.proposals}
        for replicate in self._replicates(plan):
            assert replicate.proposal is not None
            if _scored(replicate, done) and replicate.outputs.get(Use.SELECT.value):
                known[replicate.proposal][replicate.column] = self._selection_score(replicate)
            elif replicate.evaluate_stage in hopeless:
                known[replicate.proposal][replicate.column] = None
        return [Told(number=p.number, params=p.params, scores=known[p.number]) for p in self.proposals]

    def _replicates(self, plan: Plan) -> list[Replicate]:
        return [r for r in plan.replicates if r.row == self.row and r.proposal is not None]

    def _selection_score(self, replicate: Replicate) -> float:
        keys = replicate.outputs[Use.SELECT.value].values()
        scores = [float(str(self.store.result(key)["score"])) for key in keys]
        return sum(scores) / len(scores)


def _scored(replicate: Replicate, done: Set[str]) -> bool:
    return all(key in done for by_language in replicate.outputs.values() for key in by_language.values())
