"""Filling: which replicates of a study are run. A grid runs them all; ``selected_cells.py`` asks a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from stilts.ledger.decision import Decision
from stilts.search.deciding import Known, LivePolicy, Situation
from stilts.study.plan import Plan

Prior = Mapping[tuple[str, str], float]


class Filling(LivePolicy, Protocol):
    """Says which part of the whole plan is to be run, and asks for more when that is done."""

    def chosen(self, whole: Plan) -> Plan:
        """The part of the plan that is asked for so far."""

    @property
    def is_open(self) -> bool:
        """Whether more may still be asked for: weights that further replicates would start from must stay."""


class WholeGrid:
    """Every replicate of the study."""

    is_open = False

    def chosen(self, whole: Plan) -> Plan:
        """All of it."""
        return whole

    def decide(self, view: Known, situation: Situation) -> Sequence[Decision]:
        """Nothing: everything is asked for. What a budget leaves out, the same command does where it allows more."""
        return ()

    def took(self, decision: Decision) -> bool:
        """Nothing is asked for beside the grid."""
        return False
