"""Price: what further recipes of a searched row, or their confirmation, will take, by those that are planned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stilts.search.deciding import Known, Situation
from stilts.search.objective import PER_TARGET
from stilts.study.cost import StillToCome, like_stages


def still_to_come(
    row: str, objectives: Sequence[str], confirming: Mapping[str, int], *, proposals: int = 0, seeds: int = 0
) -> StillToCome:
    """What a row that is searched for these objectives adds to its plan: proposals, and what confirms the chosen ones.

    Per target each column confirms its own recipe, else each objective's is confirmed on all.
    """
    per_column = PER_TARGET in objectives
    recipes = 1 if per_column else len(objectives)
    return StillToCome(
        row=row, proposals=proposals, seeds=seeds, confirming=confirming, recipes=recipes, per_column=per_column
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Seconds of stages, and how many of them."""

    seconds: float = 0.0
    stages: int = 0

    @classmethod
    def of(cls, still: Sequence[StillToCome], view: Known, situation: Situation) -> Price:
        """What is still to come takes, at most; nothing of a row that has drawn no recipe yet."""
        found = [pair for one in still for pair in like_stages(one, view.whole)]
        return cls(
            seconds=sum(count * situation.expected(stage) for stage, count in found),
            stages=math.ceil(sum(count for _, count in found) - 1e-9),
        )

    def __str__(self) -> str:
        return f"about {self.seconds:.0f} s in {self.stages} stages"
