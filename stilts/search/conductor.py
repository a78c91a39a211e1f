"""Conductor: the WorkSource of one run of one study, which schedulers ask. No ray, no torch.

What is known of stages is in ``stages.py``, what decides in ``policies.py``, what the budget allows in ``gate.py``. Its
whole state comes from the study and the store: a new conductor over the same store continues where any earlier one
stopped. Read ``study/plan.py`` first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stilts.fingerprint import Json
from stilts.ledger.decision import Stopped
from stilts.ledger.decisions import keep
from stilts.ledger.records import FAILURES, PRUNED, STOPPED, Failure
from stilts.search.confirmation import RowConfirmation
from stilts.search.filling import Filling, WholeGrid
from stilts.search.foreseen import foreseen_plan
from stilts.search.gate import Gate
from stilts.search.policies import Policies
from stilts.search.pruning import NoPruning, PruningRule
from stilts.search.row_race import RowRace
from stilts.search.row_search import RowSearch
from stilts.search.rungs import Reached, RungBook
from stilts.search.stages import Stages
from stilts.search.work_source import Fits, Measured, NoStage, Progress, anything
from stilts.store.artifact_store import ArtifactStore
from stilts.study.holding import Holding
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.policy_schema import StudyBudget
from stilts.study.rates import assumed_seconds
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_space import Proposal
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.training.reporter import Evaluation


@dataclass(kw_only=True)
class Conductor:
    """Hands out the stages of one study until nothing is left to do.

    ``searches`` holds one RowSearch per searched row, ``races`` what decides on the seeds of its proposals,
    ``confirmations`` what is trained again of it with fresh seeds;
    ``max_open`` is how many run at once now: as many proposals of a row may be unfinished. ``filling`` says which
    replicates of the fixed rows are asked for, ``budget`` what the study may spend; ``holding`` is what stages
    hold. ``on_change`` hears the id of every stage that ended, ``on_plan`` every new plan.
    """

    resolved: ResolvedStudy
    store: ArtifactStore
    searches: Mapping[str, RowSearch] = field(default_factory=dict)
    races: Mapping[str, RowRace] = field(default_factory=dict)
    confirmations: Mapping[str, RowConfirmation] = field(default_factory=dict)
    pruning: PruningRule = field(default_factory=NoPruning)
    filling: Filling = field(default_factory=WholeGrid)
    budget: StudyBudget | None = None
    max_open: int = 1
    on_change: Callable[[str], None] = lambda stage_id: None
    on_plan: Callable[[Plan], None] = lambda plan: None
    holding: Holding = field(init=False)
    stages: Stages = field(init=False)
    policies: Policies = field(init=False)
    gate: Gate = field(init=False)
    _recipes: Mapping[str, Sequence[Proposal]] | None = field(default=None, init=False)
    _foreseen: tuple[Plan, Mapping[str, int], Sequence[Stage]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        study = self.resolved.study.name
        self.holding = Holding(file=self.resolved.study.file)
        self.stages = Stages(done=set(self.store.done()), pruned=set(PRUNED.own_names(self.store, study)))
        self.policies = Policies(
            study=study,
            store=self.store,
            searches=self.searches,
            races=self.races,
            confirmations=self.confirmations,
            filling=self.filling,
            pruning=RungBook(study=study, store=self.store, rule=self.pruning),
        )
        self.policies.load()
        self._replan()
        recomputes = self.holding.bounds.gradient_checkpointing
        self.gate = Gate(
            study=study,
            store=self.store,
            budget=self.budget,
            gpus=self.holding.most_gpus,
            held=self.holding,
            stages=self.stages,
            assumed=lambda stage: assumed_seconds(stage, self.holding(stage), gradient_checkpointing=recomputes),
        )
        for search in self.searches.values():
            search.reconcile(self.stages.known)

    @property
    def plan(self) -> Plan:
        """The part of the study that is asked for."""
        return self.stages.plan

    @property
    def whole(self) -> Plan:
        """All that the study allows."""
        return self.stages.whole

    def has_work(self) -> bool:
        """Whether a stage is ready to run, a newly asked one if nothing else is; if not, a run would end at once."""
        return self._next(anything) is not None

    def next_stage(self, fits: Fits = anything) -> Stage | NoStage:
        """The next stage to run, a newly asked one if nothing else is ready, or why there is none now."""
        chosen = self._next(fits)
        if chosen is not None:
            stage = self.stages.started(chosen)
            self.gate.account.started(chosen, self.holding(stage).gpus)
            return stage
        if self.stages.running or self.gate.waiting:
            return NoStage.WAIT
        self._end()
        return NoStage.FINISHED

    def finished(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        """Notes that a stage was done or pruned, and tells the searches what it means for them."""
        self.gate.account.ended(stage_id, float(str(outcome["seconds"])) if outcome["executed"] else 0.0)
        if outcome["state"] == "pruned":
            self.stages.stopped(stage_id)
        else:
            self.gate.expectation.learn(self.stages.ended(stage_id), self.store)
        self._tell()
        self.on_change(stage_id)

    def failed(self, stage_id: str, error: str, *, will_retry: bool) -> bool:
        """Notes a failure; unless it is tried again, whatever starts from the stage is given up for this run.

        Whether it is missed: another driver may have done meanwhile all that it was for, and dropped what it needs.
        """
        if will_retry:
            return True
        self.gate.account.ended(stage_id, None)
        if self._is_done_elsewhere(stage_id):
            FAILURES.delete(self.store, stage_id)
            self._tell()
            self.on_change(stage_id)
            return False
        if not FAILURES.exists(self.store, stage_id):  # a killed process writes nothing
            kind, _, message = error.partition(": ")
            failure = Failure(stage_id=stage_id, error=message or error, kind=kind, attempts=1, time=time.time())
            FAILURES.write(self.store, failure, stage_id)
        self.stages.broke(stage_id, error)
        self._tell()
        self.on_change(stage_id)
        return True

    def stops(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> bool:
        """Whether a searched recipe's fine-tuning stops there, judged against its row's other recipes."""
        reached = Reached(stage_id=stage_id, step=step, steps=steps, evaluation=evaluation)
        return self.policies.stops(self.stages.known, reached)

    @property
    def weights_wanted(self) -> frozenset[str]:
        """Recipes whose weights replicates that are not asked for yet would start from."""
        if not self.filling.is_open:
            return frozenset()
        return frozenset(one.intermediate_stage for one in self.whole.replicates if one.intermediate_stage)

    @property
    def classes(self) -> Sequence[Resources]:
        """All that some stage of the study may hold."""
        return self.holding.classes

    def resources(self, stage: Stage) -> Resources:
        """What the stage holds while it runs."""
        return self.holding(stage)

    def progress(self, running: Mapping[str, Measured] | None = None) -> Progress:
        """Counts over what is asked for and what searches will add to it, as ``stilts plan`` counts it."""
        stages, coming = self.stages, self._coming()
        return Progress(
            total=len(stages.plan.stages) + len(coming),
            done=stages.num_settled,
            running=len(stages.running),
            failed=len(stages.failed),
            seconds_left=self.gate.seconds_left(running or {}, coming),
            coming=len(coming),
        )

    @property
    def failures(self) -> Mapping[str, str]:
        """Why stages failed in this run, by stage id."""
        return dict(self.stages.failed)

    def _next(self, fits: Fits) -> str | None:
        """The stage that is to be handed out now, within the budget; None where there is none."""
        while (chosen := self.gate.next(fits)) is None and self._has_room(fits):
            if not self.policies.ask(self.stages.known, self.gate.situation(self.max_open)):
                return None
            self._replan()
        return chosen

    def _has_room(self, fits: Fits) -> bool:
        """Whether policies may be asked for more: nothing is ready, or only classes of which no more fit now."""
        if not self.stages.ready:
            return True
        others = set(self.classes) - self.gate.waiting
        return self.gate.refused is None and bool(self.gate.waiting) and any(fits(held) for held in others)

    def _replan(self) -> None:
        """Plans the recipes that there are now, and takes of it what is asked for."""
        recipes = self.policies.recipes()
        is_new = recipes != self._recipes
        whole = make_plan(self.resolved, recipes) if is_new else self.stages.whole
        gone = self.store.gone_keys() if self.stages.done else frozenset()
        self.holding.planned(whole)
        self.stages.planned(whole, self.filling.chosen(whole), gone)
        self.on_plan(self.stages.plan)
        if is_new and self._recipes is not None:
            self._tell()  # a recipe that another study trained is scored already
        self._recipes = recipes

    def _is_done_elsewhere(self, stage_id: str) -> bool:
        """Whether nothing needs the stage any more, by what the store has now; from then on that is known."""
        published = self.store.done()
        if not all(key in published for key in self.plan.stages[stage_id].outputs):
            return False
        self.stages.running.discard(stage_id)
        self.stages.done |= published
        self._replan()
        return stage_id not in self.stages.needed

    def _coming(self) -> Sequence[Stage]:
        """The stages that searched rows will add: planned anew where another recipe was drawn, or none will be."""
        whole, to_draw = self.stages.whole, {row: search.num_to_draw for row, search in self.searches.items()}
        if self._foreseen is None or self._foreseen[0] is not whole or self._foreseen[1] != to_draw:
            later = foreseen_plan(self.resolved, self._recipes or {}, to_draw) if to_draw else whole
            added = [stage for stage_id, stage in later.stages.items() if stage_id not in whole.stages]
            self._foreseen = whole, to_draw, added
        return self._foreseen[2]

    def _tell(self) -> None:
        known = self.stages.known
        for search in self.searches.values():
            search.tell(known)

    def _end(self) -> None:
        """Leaves a record where the budget ends the study, so that what is missing has its reason."""
        study, why = self.resolved.study.name, self.gate.refused
        if why is None:
            STOPPED.delete(self.store, study)
            return
        ends = f"{why[:1].upper()}{why[1:]}."
        self.policies.end(self.stages.known, replace(self.gate.situation(self.max_open), ends=ends))
        keep(self.store, study, Stopped(study=study, reason=why))
