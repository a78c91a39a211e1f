"""Pace: what the steps of running stages say of the time that they, and those not measured yet, will take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stilts.search.work_source import Measured
from stilts.study.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long stages take, in seconds: as long as their like did, else by arithmetic times what was measured of it.

    ``known`` gives the seconds of a stage whose like is done, or None; ``assumed`` those by arithmetic alone;
    ``running`` is what the steps of running stages say, by stage id.
    """

    known: Callable[[Stage], float | None]
    assumed: Callable[[Stage], float]
    running: Mapping[str, Measured]

    def seconds_left(self, stages: Mapping[str, Stage], coming: Sequence[Stage] = ()) -> float | None:
        """What is left of these stages, by id, and of all that are ``coming``; None before the first measured step."""
        left = [self._left(stage_id, stage) for stage_id, stage in stages.items()]
        left += [(self.known(stage), self.assumed(stage)) for stage in coming]
        sure = [seconds for seconds, _ in left if seconds is not None]
        if len(sure) == len(left):
            return sum(sure)
        ratio = self._ratio(stages)
        return None if ratio is None else sum(sure) + ratio * sum(guess for seconds, guess in left if seconds is None)

    def _left(self, stage_id: str, stage: Stage) -> tuple[float | None, float]:
        measured = self.running.get(stage_id)
        return (self.known(stage) if measured is None else measured.left_s), self.assumed(stage)

    def _ratio(self, stages: Mapping[str, Stage]) -> float | None:
        """Measured seconds to those by arithmetic, over what runs; over what is known where no step is measured."""
        pairs = [(one.whole_s, self.assumed(stages[i])) for i, one in self.running.items() if i in stages]
        if not pairs:
            pairs = [(s, self.assumed(stage)) for stage in stages.values() if (s := self.known(stage)) is not None]
        guessed = sum(guess for _, guess in pairs)
        return sum(seconds for seconds, _ in pairs) / guessed if guessed else None
