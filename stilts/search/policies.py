"""Policies: what decides in a live study, in which order it is asked, and what follows from its decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from stilts.ledger.decision import Decision, ProposalRecord, Pruned
from stilts.ledger.decisions import decisions, keep
from stilts.ledger.records import ROW_ENDS
from stilts.search.confirmation import RowConfirmation
from stilts.search.deciding import Known, LivePolicy, Situation
from stilts.search.filling import Filling
from stilts.search.price import Price
from stilts.search.row_race import RowRace
from stilts.search.row_search import RowSearch
from stilts.search.rungs import Reached, RungBook
from stilts.store.artifact_store import ArtifactStore
from stilts.study.cost import StillToCome
from stilts.study.search_space import Proposal


@dataclass(kw_only=True)
class Policies:
    """What draws, races and confirms the recipes of searched rows, what fills the cells of fixed ones, what prunes.

    Rows and filling are asked in turn. Of a row first its race, then what draws, and once that is over what confirms.
    Whatever one decides is kept, and then told to all.
    """

    study: str
    store: ArtifactStore
    searches: Mapping[str, RowSearch]
    races: Mapping[str, RowRace]
    confirmations: Mapping[str, RowConfirmation]
    filling: Filling
    pruning: RungBook
    _rows_turn: bool = field(default=True, init=False)

    def load(self) -> None:
        """Tells all what the study decided before."""
        self._tell_all(decisions(self.store, self.study, to_go_on=True))

    def recipes(self) -> dict[str, list[Proposal]]:
        """Each searched row's proposals, with the seeds that they have and where the chosen ones are confirmed."""
        found = {row: list(search.proposals) for row, search in self.searches.items()}
        found |= {row: race.seeded(found[row]) for row, race in self.races.items()}
        return found | {row: one.confirmed(found[row]) for row, one in self.confirmations.items()}

    def ask(self, view: Known, situation: Situation) -> bool:
        """Asks one after the other until one asks for more; whether any did."""
        self._rows_turn = not self._rows_turn
        reserved = self._reserved(view, situation)
        rows = self._of_rows(view, situation, reserved)
        fills = [(self.filling, replace(situation, left_s=situation.left_s - reserved.seconds))]
        turns = chain(rows, fills) if self._rows_turn else chain(fills, rows)
        return any(self._tell_all(self._keep(policy.decide(view, seen))) for policy, seen in turns)

    def end(self, view: Known, situation: Situation) -> None:
        """Has the filling say what it came to, where the study ends."""
        self._tell_all(self._keep(self.filling.decide(view, situation)))

    def stops(self, view: Known, reached: Reached) -> bool:
        """Whether a running stage stops after the evaluation that it has reached."""
        kept = self._keep(self.pruning.decide(view, reached))
        self._tell_all(kept)
        return any(isinstance(one, Pruned) for one in kept)

    def _of_rows(self, view: Known, situation: Situation, reserved: Price) -> Iterator[tuple[LivePolicy, Situation]]:
        for row, search in self.searches.items():
            seen = self._within_budget(row, view, situation, reserved)
            if row in self.races:
                yield self.races[row], seen
            yield search, seen
            if row in self.confirmations and search.is_over(view, situation.budget):
                yield self.confirmations[row], situation

    def _reserved(self, view: Known, situation: Situation) -> Price:
        """What confirming will take of the rows that have still to choose what is confirmed."""
        if not situation.budget:
            return Price()
        waiting = [
            one
            for row, one in self.confirmations.items()
            if not (one.chosen and self.searches[row].is_over(view, situation.budget))
        ]
        return Price.of([one.still for one in waiting], view, situation)

    def _within_budget(self, row: str, view: Known, situation: Situation, reserved: Price) -> Situation:
        """The situation of a row, which ends where another recipe would spend what its confirmation needs."""
        search, race = self.searches[row], self.races.get(row)
        if not situation.budget or row not in self.confirmations or not search.proposals:
            return situation
        more = StillToCome(row=row, proposals=1, seeds=race.first if race else 1, confirming={})
        another = Price.of([more], view, situation)
        lacks = situation.lacks(reserved.seconds + another.seconds, reserved.stages + another.stages)
        if not lacks:
            return situation
        reason = (
            f"{lacks[0].upper()}{lacks[1:]}: confirming what is found takes {reserved}, and another recipe {another}."
        )
        return replace(situation, ends=reason)

    def _keep(self, decided: Iterable[Decision]) -> list[Decision]:
        kept = [keep(self.store, self.study, one) for one in decided]
        for one in kept:
            if isinstance(one, ProposalRecord) and self.searches[one.row].end is not None:
                ROW_ENDS.delete(self.store, self.study, one.row)  # it goes on, under another budget
        return kept

    def _tell_all(self, kept: Iterable[Decision]) -> bool:
        """Whether a decision asks for more."""
        everyone: Sequence[LivePolicy | RungBook] = (
            *self.searches.values(),
            *self.races.values(),
            *self.confirmations.values(),
            self.filling,
            self.pruning,
        )
        return any([policy.took(one) for one in kept for policy in everyone])
