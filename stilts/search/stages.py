"""Stages: what is known of a study's stages while it runs: done, running, failed, pruned, hopeless, needed, ready."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from stilts.search.deciding import Known
from stilts.study.plan import Plan
from stilts.study.stage import Stage


@dataclass(kw_only=True)
class Stages:
    """The stages of the plans that ``planned`` gave last.

    ``done`` are published keys, ``pruned`` stages that were stopped, in this run or an earlier one; ``failed`` maps
    those that failed in this run to why. ``needed`` are to be run, those that ``run`` now among them; ``num_changes``
    counts how often that became other than it was.
    """

    done: set[str]
    pruned: set[str]
    running: set[str] = field(default_factory=set, init=False)
    failed: dict[str, str] = field(default_factory=dict, init=False)
    needed: dict[str, None] = field(default_factory=dict, init=False)
    num_changes: int = field(default=0, init=False)
    whole: Plan = field(init=False)
    plan: Plan = field(init=False)

    def planned(self, whole: Plan, plan: Plan, gone: Set[str]) -> None:
        """Takes new plans; ``gone`` are keys whose files were dropped."""
        self.whole, self.plan = whole, plan
        self.num_changes += 1
        self.needed = dict.fromkeys(plan.needed(self.done, gone, self.hopeless))

    @property
    def hopeless(self) -> frozenset[str]:
        """Stages that failed in this run or were pruned, and all that would start from them."""
        return frozenset(self.plan.with_below([*self.failed, *self.pruned]))

    @property
    def known(self) -> Known:
        """What policies are given of it."""
        return Known(plan=self.plan, whole=self.whole, done=self.done, hopeless=self.hopeless)

    @property
    def ready(self) -> list[str]:
        """The stages that could run now."""
        return self.plan.ready(self.needed, self.running)

    @property
    def num_settled(self) -> int:
        """How many of the plan are neither to be run nor hopeless."""
        return len(self.plan.stages) - len(self.needed) - len(self.hopeless)

    def started(self, stage_id: str) -> Stage:
        """Notes that a stage was handed out."""
        self.running.add(stage_id)
        return self.plan.stages[stage_id]

    def ended(self, stage_id: str) -> Stage:
        """Notes that a stage is done."""
        self._left(stage_id)
        self.done.update(self.plan.stages[stage_id].outputs)
        return self.plan.stages[stage_id]

    def stopped(self, stage_id: str) -> None:
        """Notes that a stage was pruned, and gives up what would start from it."""
        self._left(stage_id)
        self.pruned.add(stage_id)
        self._give_up(stage_id)

    def broke(self, stage_id: str, error: str) -> None:
        """Notes that a stage failed, and gives up what would start from it for this run."""
        self.running.discard(stage_id)
        self.failed[stage_id] = error
        self._give_up(stage_id)

    def _left(self, stage_id: str) -> None:
        self.num_changes += 1
        self.running.discard(stage_id)
        self.needed.pop(stage_id, None)
        self.failed.pop(stage_id, None)

    def _give_up(self, stage_id: str) -> None:
        self.num_changes += 1
        for below in self.plan.with_below([stage_id]):
            self.needed.pop(below, None)
