"""Gate: which ready stage begins now, and why none may where the budget does not allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from stilts.search.budget import Account
from stilts.search.deciding import Situation
from stilts.search.expectation import Expectation
from stilts.search.order import priority_order
from stilts.search.pace import Pace
from stilts.search.replicate_table import grid_stages
from stilts.search.stages import Stages
from stilts.search.work_source import Fits, Measured
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.policy_schema import StudyBudget
from stilts.study.slots import Resources
from stilts.study.stage import Stage, StageKind


@dataclass(kw_only=True)
class Gate:
    """Between the stages that could run and those that may, by what the study spent; ``held`` is what each holds,
    ``gpus`` the most of it, ``assumed`` gives a stage's seconds by arithmetic.

    ``refused`` says why the first stage that may not begin may not, None where all may; ``waiting`` are the classes of
    stages that may and do not fit now.
    """

    study: str
    store: ArtifactStore
    budget: StudyBudget | None
    gpus: float
    held: Callable[[Stage], Resources]
    stages: Stages
    assumed: Callable[[Stage], float]
    refused: str | None = field(default=None, init=False)
    waiting: set[Resources] = field(default_factory=set, init=False)
    account: Account = field(init=False)
    expectation: Expectation = field(init=False)
    _grid: tuple[Plan, tuple[Stage, ...]] | None = field(default=None, init=False)
    _foreseen: tuple[int, Mapping[str, float], Mapping[str, float]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.expectation = Expectation.measured(self.stages.whole, self.stages.done, self.store, self.assumed)
        self.account = Account(
            study=self.study, store=self.store, budget=self.budget, gpus=self.gpus, grid_s=self._grid_s
        )

    def expected(self, stage: Stage) -> float:
        """Seconds that a stage is expected to take: as long as its like did, else by arithmetic."""
        seconds = self.expectation.seconds(stage)
        return self.assumed(stage) if seconds is None else seconds

    def next(self, fits: Fits) -> str | None:
        """The ready stage that is to begin now, None for none: the first that fits.

        Where the budget refuses one, it is the scores of a model that is trained, or none.
        """
        stages = self.stages
        seconds, to_end = self._forecast()
        plan = stages.plan
        order = priority_order(stages.ready, to_end=to_end, num_descendants=plan.descendants, first=plan.estimating)
        self.refused, self.waiting = None, set()
        running_s = self._sum(stages.running)
        for stage_id in order:
            stage = stages.plan.stages[stage_id]
            if self.refused is not None and stage.kind is not StageKind.EVALUATE:
                continue
            why = self.account.refusal(seconds[stage_id], running_s, len(stages.running))
            if why is not None:
                self.refused = self.refused or why
            elif fits(self.held(stage)):
                return stage_id
            else:
                self.waiting.add(self.held(stage))
        return None

    def situation(self, slots: int) -> Situation:
        """What may still be asked for, when all that is asked for is paid."""
        asked_s = self._sum(self.stages.needed)
        return Situation(
            expected=self.expected,
            left_s=self.account.left_s(asked_s),
            spent_s=self.account.spent.seconds,
            slots=slots,
            budget=self.account.label,
            lacks=partial(self.account.lacks, asked_s=asked_s, asked=len(self.stages.needed), slots=slots),
        )

    def seconds_left(self, running: Mapping[str, Measured], coming: Sequence[Stage] = ()) -> float | None:
        """Seconds that what is asked for, and what is coming, will take with as many at once as now.

        None before the first step is measured in a store that has nothing alike.
        """
        needed = {stage_id: self.stages.plan.stages[stage_id] for stage_id in self.stages.needed}
        pace = Pace(known=self.expectation.seconds, assumed=self.assumed, running=running)
        left = pace.seconds_left(needed, coming)
        return None if left is None else left / max(1, len(self.stages.running))

    def _forecast(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Expected seconds of every stage that is to be run, and of the longest way from it to the end.

        Worked out anew when what is to be run has changed, and not each time that Tune asks: ten times a second.
        """
        stages = self.stages
        if self._foreseen is None or self._foreseen[0] != stages.num_changes:
            seconds = {stage_id: self.expected(stages.plan.stages[stage_id]) for stage_id in stages.needed}
            self._foreseen = stages.num_changes, seconds, stages.plan.seconds_to_end(seconds)
        return self._foreseen[1:]

    def _sum(self, stage_ids: Iterable[str]) -> float:
        return sum(self.expected(self.stages.plan.stages[stage_id]) for stage_id in stage_ids)

    def _grid_s(self) -> float:
        whole = self.stages.whole
        if self._grid is None or self._grid[0] is not whole:
            self._grid = (whole, grid_stages(whole))
        return sum(map(self.expected, self._grid[1]))
