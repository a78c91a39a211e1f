"""RungBook: which searched recipes stop early, by every judged evaluation of a study, those of earlier runs included.

Kept is the decision on each evaluation, with its examples' scores, and beside it that a stage stops. A stage that is
resumed and evaluated again at the same step is judged as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stilts.ledger.decision import Decision, Judged, Pruned
from stilts.ledger.records import JUDGED
from stilts.metrics.item_scores import items_from_json, items_to_json
from stilts.search.deciding import Known
from stilts.search.pruning import NoPruning, PruningRule, target_score
from stilts.search.rung_history import Rung, RungHistory
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.stage import TrainStage
from stilts.training.reporter import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedCell:
    """The searched replicate of a fine-tuning stage; ``first`` is the stage of its proposal's first seed."""

    row: str
    column: str
    proposal: int
    stage_id: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An evaluation that a running stage has reached, after ``step`` of its ``steps``."""

    stage_id: str
    step: int
    steps: int
    evaluation: Evaluation


@dataclass(kw_only=True)
class RungBook:
    """Decides which target stages of a study's searched rows go on, by its rule and by what it judged before."""

    study: str
    store: ArtifactStore
    rule: PruningRule
    _histories: dict[tuple[str, str], RungHistory] = field(default_factory=dict, init=False)
    _judged: dict[tuple[str, str, int, int], Judged] = field(default_factory=dict, init=False)
    _pruned: dict[str, Pruned] = field(default_factory=dict, init=False)

    def decide(self, view: Known, reached: Reached) -> list[Decision]:
        """How a recipe stands beside its row's others at that fraction, and that its stage stops where it does.

        A further seed of a recipe is not judged: the race has granted it, and a mean over the seeds that were lucky
        enough to finish would be too high. It stops only where the recipe's first seed was stopped.
        """
        plan, stage_id = view.whole, reached.stage_id
        cell, stage = searched_cell(plan, stage_id), plan.stages.get(stage_id)
        if cell is None or not isinstance(stage, TrainStage) or isinstance(self.rule, NoPruning):
            return []
        evaluation = reached.evaluation
        score = target_score(stage.name, evaluation.scores, fine_tunes=stage.name)
        if score is None:
            return []
        items, fraction = evaluation.items.get(stage.name, {}), reached.step / reached.steps
        rung = Rung(recipe=str(cell.proposal), fraction=fraction, score=score, items=items)
        if stage_id != cell.first:
            first = self._pruned.get(cell.first)
            why = f"The first seed of its recipe was stopped: {first.reason}" if first else ""
            return [_pruned(cell, reached, score, self.rule.label, why, {})] if first else []
        judged = self._judge(plan, cell, rung, reached.step)
        if not judged.stop:
            return [judged]
        return [judged, _pruned(cell, reached, score, self.rule.label, judged.reason, judged.peers)]

    def took(self, decision: Decision) -> bool:
        """Compares later evaluations with it; nothing is asked for."""
        if isinstance(decision, Pruned):
            self._pruned[decision.stage_id] = decision
        if isinstance(decision, Judged) and (place := (decision.row, decision.column)) in self._histories:
            self._judged[(*place, decision.proposal, decision.step)] = decision
            self._histories[place] = self._histories[place].with_rung(_rung(decision))
        return False

    def _judge(self, plan: Plan, cell: SearchedCell, rung: Rung, step: int) -> Judged:
        """The decision that was kept on this very evaluation under this rule, else a new one."""
        history = self._history(plan, cell)
        known = self._judged.get((cell.row, cell.column, cell.proposal, step))
        now = (cell.stage_id, self.rule.label, repr(rung.score))  # repr: NaN equals itself
        if known is not None and (known.stage_id, known.policy, repr(known.score)) == now:
            return known
        ruling = self.rule.rule(history, rung)
        return Judged(
            stage_id=cell.stage_id,
            row=cell.row,
            column=cell.column,
            proposal=cell.proposal,
            step=step,
            fraction=rung.fraction,
            stop=ruling.stop,
            score=rung.score,
            policy=self.rule.label,
            reason=ruling.reason,
            peers=dict(ruling.peers),
            items=items_to_json(rung.items),
        )

    def _history(self, plan: Plan, cell: SearchedCell) -> RungHistory:
        """The cell's history, from the store when it is first asked for.

        Left out is what the plan no longer asks for: after a change of the study, a stage of another length, say, would
        be no like.
        """
        place = (cell.row, cell.column)
        if place not in self._histories:
            self._histories[place] = RungHistory(space=cell.row, target=cell.column)
            for value in JUDGED.all(self.store, self.study, *place).all_good().values():
                if value.stage_id in plan.stages:
                    self.took(value)
        return self._histories[place]


def searched_cell(plan: Plan, stage_id: str) -> SearchedCell | None:
    """Where a fine-tuning stage stands in a search; None where it belongs to none, or confirms what was chosen."""
    for replicate in plan.replicates:
        if replicate.target_stage == stage_id and replicate.proposal is not None and not replicate.confirms:
            place = (replicate.row, replicate.column, replicate.proposal)
            seeds = (r for r in plan.replicates if (r.row, r.column, r.proposal) == place and not r.confirms)
            first = min(seeds, key=lambda r: (r.intermediate_seed or 0, r.target_seed or 0)).target_stage
            return SearchedCell(
                row=place[0], column=place[1], proposal=place[2], stage_id=stage_id, first=first or stage_id
            )
    return None


def _pruned(
    cell: SearchedCell, reached: Reached, score: float, label: str, reason: str, peers: Mapping[str, float]
) -> Pruned:
    return Pruned(
        stage_id=cell.stage_id,
        row=cell.row,
        column=cell.column,
        proposal=cell.proposal,
        step=reached.step,
        steps=reached.steps,
        score=score,
        policy=label,
        reason=reason,
        peers=dict(peers),
    )


def _rung(value: Judged) -> Rung:
    return Rung(
        recipe=str(value.proposal), fraction=value.fraction, score=value.score, items=items_from_json(value.items)
    )
