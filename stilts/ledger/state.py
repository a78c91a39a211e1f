"""State: what became of a stage, a replicate or a cell. Of stages and replicates ``view.py`` alone works it out."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class State(StrEnum):
    """What became of a stage or a replicate (DESIGN rule 3), from the best to the most serious.

    *done*: its artifacts are published; *damaged*: what was published is not as it was written; *failed* or *pruned*: a
    record of a stage says so; *pending*: a live process works on a stage; *missing*: none of these. A cell can also be
    *unconfirmed*: its row was searched, and what the search found was not trained again with fresh seeds yet; or *left
    out*: a selecting policy asked for none of its replicates.
    """

    DONE = "done"
    LEFT_OUT = "left out"
    UNCONFIRMED = "unconfirmed"
    PENDING = "pending"
    MISSING = "missing"
    PRUNED = "pruned"
    FAILED = "failed"
    DAMAGED = "damaged"


def worst(states: Iterable[str]) -> State:
    """The most serious: of a replicate whose languages differ, or of a cell or a proposal whose replicates do."""
    return max(map(State, states), key=list(State).index)
