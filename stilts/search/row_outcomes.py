"""RowOutcomes: what came of each proposal of a searched row, read from a plan and a store. Nothing is kept but scores.

A proposal's replicates on one target are its seeds: its score there is the mean over those that are done. Seeds
that the plan has and that are not done yet do not hold it back, they change it later: a
sampler that took a recipe as unscored because it is worth another seed would turn away from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stilts.ledger.decision import Pruned
from stilts.ledger.records import PRUNED
from stilts.search.deciding import Known
from stilts.search.objective import Aim
from stilts.search.outcome import Outcome, Told
from stilts.search.recipe_scores import RecipeScores, RowReplicates, baseline_scores, is_scored, replicates_of
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.record import NONE_ROW, Replicate
from stilts.study.search_space import Proposal


@dataclass(kw_only=True)
class RowOutcomes:
    """The outcomes of one row of one study by its aims."""

    study: str
    row: str
    aims: Sequence[Aim]
    store: ArtifactStore
    _pruned: dict[str, Pruned | None] = field(default_factory=dict, init=False)
    _scores: RecipeScores = field(init=False)
    _of_plan: tuple[Plan, RowReplicates, RowReplicates] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._scores = RecipeScores(store=self.store)

    def told(self, proposals: Sequence[Proposal], view: Known) -> list[Told]:
        """What is known of each proposal; an aim is missing while a target that it needs has no score of any seed."""
        return [Told(number=p.number, params=p.params, outcomes=self._outcomes(p.number, view)) for p in proposals]

    def num_open(self, view: Known) -> int:
        """How many proposals are neither scored nor given up on every target."""
        own, _ = self._replicates(view.plan)
        return len({replicate.proposal for replicate in own.all if not _is_over(replicate, view)})

    def _outcomes(self, number: int, view: Known) -> dict[str, Outcome]:
        found = {aim.name: self._outcome(number, aim, view) for aim in self.aims}
        return {name: outcome for name, outcome in found.items() if outcome is not None}

    def _outcome(self, number: int, aim: Aim, view: Known) -> Outcome | None:
        (own, none), done = self._replicates(view.plan), view.done
        groups = {target: own.of(number, target) for target in aim.targets}
        scored = {target: [r for r in group if is_scored(r, done)] for target, group in groups.items()}
        for target, group in groups.items():
            if group and not scored[target] and all(r.evaluate_stage in view.hopeless for r in group):
                return self._given_up(aim, group)
        if not all(scored.values()):
            return None
        base = none.on(aim.targets) if aim.over_none else ()
        baseline = baseline_scores(none, aim.targets, done, self._scores) if aim.over_none else {}
        if aim.over_none and len(baseline) < len(aim.targets):  # failed only where none's score is given up too
            return Outcome() if base and all(_is_over(r, view) for r in base) else None
        values = aim.values({target: self._scores.over_seeds(group) for target, group in scored.items()}, baseline)
        return Outcome(values=values)

    def _given_up(self, aim: Aim, replicates: Sequence[Replicate]) -> Outcome:
        """The outcome of a proposal all of whose seeds failed or were pruned on a target."""
        records = [record for replicate in replicates if (record := self._pruned_record(replicate)) is not None]
        # Scores of several targets, or of a part of the languages, are on another scale than the aim's values.
        points = [(record.step, record.score) for record in records] if aim.is_target else []
        return Outcome(pruned=bool(records), curve=dict(points))

    def _pruned_record(self, replicate: Replicate) -> Pruned | None:
        for stage_id in (replicate.intermediate_stage, replicate.target_stage):
            if stage_id is not None:
                if stage_id not in self._pruned:
                    self._pruned[stage_id] = PRUNED.read(self.store, self.study, stage_id)
                record = self._pruned[stage_id]
                if record is not None:
                    return record
        return None

    def _replicates(self, plan: Plan) -> tuple[RowReplicates, RowReplicates]:
        """This row's replicates of proposals, and those of ``none``; made once per plan."""
        if self._of_plan is None or self._of_plan[0] is not plan:
            own = replicates_of(self.row, (r for r in plan.replicates if r.proposal is not None))
            self._of_plan = (plan, own, replicates_of(NONE_ROW, plan.replicates))
        return self._of_plan[1:]


def _is_over(replicate: Replicate, view: Known) -> bool:
    return replicate.evaluate_stage in view.hopeless or is_scored(replicate, view.done)
