"""Conductor: which stage next, which proposal next, what to prune, for one run of one study. No ray, no torch.

It is the WorkSource that schedulers ask. Its whole state comes from the study and the store: a new conductor over
the same store continues where any earlier one stopped. Read ``study/plan.py`` first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stilts.fingerprint import Json
from stilts.ledger.records import FAILURES, PRUNED, STOPPED, Failure, Stopped
from stilts.search.budget import Account
from stilts.search.confirmation import RowConfirmation
from stilts.search.expectation import Expectation
from stilts.search.filling import Filling, Situation, WholeGrid
from stilts.search.order import priority_order
from stilts.search.pruning import NoPruning, PruningPolicy
from stilts.search.replicate_table import grid_stages
from stilts.search.row_race import RowRace
from stilts.search.row_search import RowSearch
from stilts.search.rungs import RungBook
from stilts.search.verdict import Verdict
from stilts.search.work_source import NoStage, Progress, Resources
from stilts.store.artifact_store import ArtifactStore
from stilts.study.cost import assumed_seconds
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.policy_schema import StudyBudget
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_space import Proposal
from stilts.study.stage import Stage, StageKind
from stilts.training.reporter import Evaluation

Listener = Callable[[str], None]


@dataclass(kw_only=True)
class Conductor:
    """Hands out the stages of one study until nothing is left to do.

    ``searches`` holds one RowSearch per searched row, ``races`` what decides on the seeds of its proposals,
    ``confirmations`` what is trained again of it with fresh seeds;
    ``max_open`` is how many run at once now: as many proposals of a row may be unfinished. ``filling`` says which
    replicates of the fixed rows are asked for, ``budget`` what the study may spend. ``on_change`` hears the id of every
    stage that ended, ``on_plan`` every new plan. ``whole`` is the plan of all that the study allows, ``plan`` the part
    of it that is asked for.
    """

    resolved: ResolvedStudy
    store: ArtifactStore
    searches: Mapping[str, RowSearch] = field(default_factory=dict)
    races: Mapping[str, RowRace] = field(default_factory=dict)
    confirmations: Mapping[str, RowConfirmation] = field(default_factory=dict)
    pruning: PruningPolicy = field(default_factory=NoPruning)
    filling: Filling = field(default_factory=WholeGrid)
    budget: StudyBudget | None = None
    stage_resources: Resources = field(default_factory=Resources)
    max_open: int = 1
    on_change: Listener = lambda stage_id: None
    on_plan: Callable[[Plan], None] = lambda plan: None
    whole: Plan = field(init=False)
    plan: Plan = field(init=False)
    account: Account = field(init=False)
    expectation: Expectation = field(init=False)
    done_here: int = field(default=0, init=False)
    _done: set[str] = field(init=False)
    _needed: dict[str, None] = field(init=False)
    _running: set[str] = field(default_factory=set, init=False)
    _failed: dict[str, str] = field(default_factory=dict, init=False)
    _pruned: set[str] = field(init=False)
    _grid: tuple[Stage, ...] = field(init=False)
    _refused: str | None = field(default=None, init=False)
    _cells_turn: bool = field(default=True, init=False)
    _rungs: RungBook = field(init=False)

    def __post_init__(self) -> None:
        name = self.resolved.study.name
        self._rungs = RungBook(study=name, store=self.store, policy=self.pruning)
        self._done = set(self.store.done())
        self._pruned = set(PRUNED.own_names(self.store, name))
        for search in self.searches.values():
            search.load()
        for race in self.races.values():
            race.load()
        for confirmation in self.confirmations.values():
            confirmation.load()
        self._replan()
        self.expectation = Expectation.measured(self.whole, self._done, self.store)
        self.account = Account(
            study=name,
            store=self.store,
            budget=self.budget,
            gpus=self.stage_resources.gpus,
            grid_s=lambda: sum(map(self.expected, self._grid)),
        )
        for search in self.searches.values():
            search.reconcile(self.plan, self._done, self._hopeless())

    def has_work(self) -> bool:
        """Whether a stage is ready to run, a newly asked one if nothing else is; if not, a run would end at once."""
        return self._next() is not None

    def next_stage(self) -> Stage | NoStage:
        """The next stage to run, a newly asked one if nothing else is ready, or why there is none now."""
        chosen = self._next()
        if chosen is None:
            if self._running:
                return NoStage.WAIT
            self._say_why_it_ends()
            return NoStage.FINISHED
        self._running.add(chosen)
        self.account.started(chosen)
        return self.plan.stages[chosen]

    def finished(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        """Notes that a stage was done or pruned, and tells the searches what it means for them."""
        self._running.discard(stage_id)
        self._needed.pop(stage_id, None)
        self._failed.pop(stage_id, None)
        self.done_here += 1
        self.account.ended(stage_id, float(str(outcome["seconds"])) if outcome["executed"] else 0.0)
        if outcome["state"] == "pruned":
            self._prune(stage_id)
        else:
            self._done.update(self.plan.stages[stage_id].outputs)
            self.expectation.learn(self.plan.stages[stage_id], self.store)
        self._tell()
        self.on_change(stage_id)

    def failed(self, stage_id: str, error: str, *, will_retry: bool) -> None:
        """Notes a failure; unless it is tried again, whatever starts from the stage is given up for this run."""
        if will_retry:
            return
        self._running.discard(stage_id)
        self.account.ended(stage_id, None)
        self._record_failure(stage_id, error)
        self._failed[stage_id] = error
        self._drop(stage_id)
        self._tell()
        self.on_change(stage_id)

    def expected(self, stage: Stage) -> float:
        """Seconds that a stage is expected to take: as long as its like did, else by arithmetic."""
        seconds = self.expectation.seconds(stage)
        return assumed_seconds(stage, self.stage_resources.gpus) if seconds is None else seconds

    @property
    def weights_wanted(self) -> frozenset[str]:
        """Recipes whose weights replicates that are not asked for yet would start from."""
        if not self.filling.is_open:
            return frozenset()
        return frozenset(one.intermediate_stage for one in self.whole.replicates if one.intermediate_stage)

    def resources(self, stage: Stage) -> Resources:
        """What every stage of this study holds while it runs."""
        return self.stage_resources

    def verdict(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Verdict:
        """Whether a searched recipe's fine-tuning should stop, judged against its row's other recipes there."""
        return self._rungs.judge(self.whole, stage_id, step, steps, evaluation)

    def progress(self) -> Progress:
        """Counts over the plan as it is now; proposals still to be drawn count with the stages of those drawn."""
        left = [self.expectation.seconds(self.plan.stages[stage_id]) for stage_id in self._needed]
        known = [seconds for seconds in left if seconds is not None]
        seconds_left = None if len(known) < len(left) else sum(known) / max(1, len(self._running))
        done = len(self.plan.stages) - len(self._needed) - len(self._blocked())
        total = len(self.plan.stages)
        return Progress(
            total=total, done=done, running=len(self._running), failed=len(self._failed), seconds_left=seconds_left
        )

    @property
    def failures(self) -> Mapping[str, str]:
        """Why stages failed in this run, by stage id."""
        return dict(self._failed)

    def _ready(self) -> list[str]:
        return self.plan.ready(self._needed, self._running)

    def _next(self) -> str | None:
        """The stage that is to be handed out now, within the budget; None where there is none."""
        ready = self._ready()
        while not ready and self._ask_for_more():
            ready = self._ready()
        self._refused = None
        seconds = {stage_id: self.expected(self.plan.stages[stage_id]) for stage_id in ready}
        order = priority_order(
            ready, num_descendants=self.plan.descendants, seconds=seconds, first=self.plan.estimating
        )
        return next((stage_id for stage_id in order if self._affordable(stage_id, seconds[stage_id], order)), None)

    def _affordable(self, stage_id: str, seconds: float, order: Sequence[str]) -> bool:
        """Whether the budget allows the stage: the one that comes first, or the scores of a model that is trained."""
        if stage_id != order[0] and self.plan.stages[stage_id].kind is not StageKind.EVALUATE:
            return False
        why = self.account.refusal(seconds, self._running_s(), len(self._running))
        if stage_id == order[0]:
            self._refused = why
        return why is None

    def _running_s(self) -> float:
        return sum(self.expected(self.plan.stages[stage_id]) for stage_id in self._running)

    def _situation(self) -> Situation:
        return Situation(
            whole=self.whole,
            done=self._done,
            hopeless=self._hopeless(),
            expected=self.expected,
            left_s=self.account.left_s(sum(self.expected(self.plan.stages[stage_id]) for stage_id in self._needed)),
            spent_s=self.account.spent.seconds,
            slots=self.max_open,
        )

    def _say_why_it_ends(self) -> None:
        """Leaves a record where the budget ends the study, so that what is missing has its reason."""
        study = self.resolved.study.name
        if self._refused is None:
            STOPPED.delete(self.store, study)
            return
        self.filling.stopped(self._situation(), self._refused)
        STOPPED.write(self.store, Stopped(reason=self._refused, time=time.time()), study)

    def _ask_for_more(self) -> bool:
        """Asks for more replicates, or draws one more proposal, in turn; whether there was any."""
        self._cells_turn = not self._cells_turn
        steps = (self._propose, self._fill) if self._cells_turn else (self._fill, self._propose)
        return any(step() for step in steps)

    def _fill(self) -> bool:
        if not self.filling.more(self._situation()):
            return False
        self._choose()
        return True

    def _propose(self) -> bool:
        """Grants a seed, draws one more proposal, or confirms what was found, for the first row that may; or False."""
        for row, search in self.searches.items():
            if row in self.races and self.races[row].grant(self.plan, self._done):
                self._replan()
                return True
            if search.open_proposals(self.plan, self._done, self._hopeless()) < self.max_open and search.propose(
                self.plan, self._done, self._hopeless()
            ):
                self._replan()
                self._tell()  # a recipe that another study trained is scored already
                return True
            if search.is_over(self.plan, self._done, self._hopeless()) and self._confirm(row):
                return True
        return False

    def _confirm(self, row: str) -> bool:
        """Has what a row's search found trained again; whether that is another recipe than before."""
        if row not in self.confirmations or not self.confirmations[row].choose(self.plan, self._done, self._hopeless()):
            return False
        self._replan()
        return True

    def _replan(self) -> None:
        self.whole = make_plan(self.resolved, {row: self._seeded(row, search) for row, search in self.searches.items()})
        self._grid = grid_stages(self.whole)
        self._choose()

    def _seeded(self, row: str, search: RowSearch) -> Sequence[Proposal]:
        """The row's proposals with the seeds that they have, and where the chosen ones are confirmed."""
        seeded = self.races[row].seeded(search.proposals) if row in self.races else search.proposals
        return self.confirmations[row].confirmed(seeded) if row in self.confirmations else seeded

    def _choose(self) -> None:
        """Takes from the whole plan what is asked for, and what of it is to be run."""
        self.plan = self.filling.chosen(self.whole)
        gone = self.store.gone_keys() if self._done else frozenset()
        self._needed = dict.fromkeys(self.plan.needed(self._done, gone, self._blocked()))
        self.on_plan(self.plan)

    def _hopeless(self) -> frozenset[str]:
        """Stages that failed in this run or were pruned, and all that would start from them."""
        return frozenset(self._blocked())

    def _blocked(self) -> set[str]:
        return self.plan.with_below([*self._failed, *self._pruned])

    def _drop(self, stage_id: str) -> None:
        for gone in self.plan.with_below([stage_id]):
            self._needed.pop(gone, None)

    def _prune(self, stage_id: str) -> None:
        self._pruned.add(stage_id)
        self._drop(stage_id)

    def _tell(self) -> None:
        for search in self.searches.values():
            search.tell(self.plan, self._done, self._hopeless())

    def _record_failure(self, stage_id: str, error: str) -> None:
        """Leaves the reason where the stage could not do so itself: a killed process writes nothing."""
        if not FAILURES.exists(self.store, stage_id):
            kind, _, message = error.partition(": ")
            failure = Failure(stage_id=stage_id, error=message or error, kind=kind, attempts=1, time=time.time())
            FAILURES.write(self.store, failure, stage_id)
