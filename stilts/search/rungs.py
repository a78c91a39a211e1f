"""RungBook: every judged evaluation of a study, kept in the store, so that a resumed run compares with all of them.

Record ``studies/<study>/rungs/<row>/<column>/<proposal>/<step>``: score, fraction and examples' scores of one
evaluation, with the verdict on it. A stage that is resumed and evaluated again at the same step gets the same verdict,
and a stage that stops leaves ``studies/<study>/pruned/<stage id>``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from stilts.ledger.records import JUDGED, PRUNED, Judged, Pruned, number_part
from stilts.metrics.item_scores import items_from_json, items_to_json
from stilts.search.pruning import NoPruning, PruningPolicy, target_score
from stilts.search.rung_history import Rung, RungHistory
from stilts.search.verdict import Verdict
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


@dataclass(kw_only=True)
class RungBook:
    """Judges the target stages of a study's searched rows by its policy, and remembers what it judged."""

    study: str
    store: ArtifactStore
    policy: PruningPolicy
    _histories: dict[tuple[str, str], RungHistory] = field(default_factory=dict, init=False)
    _records: dict[str, Judged] = field(default_factory=dict, init=False)

    def judge(self, plan: Plan, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Verdict:
        """Whether a stage should stop after an evaluation, judged against its row's other recipes at that fraction.

        A further seed of a recipe is not judged: the race has granted it, and a mean over the seeds that were lucky
        enough to finish would be too high. It stops only where the recipe's first seed was stopped.
        """
        cell, stage = searched_cell(plan, stage_id), plan.stages.get(stage_id)
        if cell is None or not isinstance(stage, TrainStage):
            return Verdict(stop=False, reason="Only the target stages of a searched row are compared.")
        score = target_score(stage.name, evaluation.scores, fine_tunes=stage.name)
        if score is None:
            return Verdict(stop=False, reason="There is no selection score to compare.")
        if isinstance(self.policy, NoPruning):
            return Verdict(stop=False, reason="This study prunes nothing.")
        items = evaluation.items.get(stage.name, {})
        rung = Rung(recipe=str(cell.proposal), fraction=step / steps, score=score, items=items)
        verdict = self._of_first_seed(cell) if stage_id != cell.first else self._judged(plan, cell, rung, step)
        if verdict.stop:
            pruned = Pruned(step=step, steps=steps, **self._facts(cell, rung, verdict))
            PRUNED.write(self.store, pruned, self.study, stage_id)
        return verdict

    def _judged(self, plan: Plan, cell: SearchedCell, rung: Rung, step: int) -> Verdict:
        history = self._history(plan, cell)
        name = JUDGED.name(self.study, cell.row, cell.column, number_part(cell.proposal), number_part(step, 8))
        known = _same(self._records.get(name), cell, rung, self.policy.label)
        verdict = known or self.policy.decide(history, rung)
        self._histories[(cell.row, cell.column)] = history.with_rung(rung)
        if known is None:
            value = Judged(
                step=step,
                fraction=rung.fraction,
                stop=verdict.stop,
                items=items_to_json(rung.items),
                **self._facts(cell, rung, verdict),
            )
            parts = (cell.row, cell.column, number_part(cell.proposal), number_part(step, 8))
            JUDGED.write(self.store, value, self.study, *parts)
            self._records[name] = value
        return verdict

    def _of_first_seed(self, cell: SearchedCell) -> Verdict:
        pruned = PRUNED.read(self.store, self.study, cell.first)
        if pruned is not None:
            return Verdict(stop=True, reason=f"The first seed of its recipe was stopped: {pruned.reason}")
        return Verdict(stop=False, reason="Only the first seed of a recipe is compared.")

    def _facts(self, cell: SearchedCell, rung: Rung, verdict: Verdict) -> dict[str, Any]:
        """What every record of a verdict says."""
        return {
            "stage_id": cell.stage_id,
            "row": cell.row,
            "column": cell.column,
            "proposal": cell.proposal,
            "score": rung.score,
            "policy": self.policy.label,
            "reason": verdict.reason,
            "peers": dict(verdict.peers),
            "time": time.time(),
        }

    def _history(self, plan: Plan, cell: SearchedCell) -> RungHistory:
        """The cell's history, from the store when it is first asked for.

        Left out is what the plan no longer asks for: after a change of the study, a stage of another length, say, would
        be no like.
        """
        if (cell.row, cell.column) not in self._histories:
            history = RungHistory(space=cell.row, target=cell.column)
            stored = JUDGED.all(self.store, self.study, cell.row, cell.column).all_good()
            for own, value in stored.items():
                if value.stage_id in plan.stages:
                    self._records[JUDGED.name(self.study, cell.row, cell.column, *own.split("/"))] = value
                    history = history.with_rung(_rung(value))
            self._histories[(cell.row, cell.column)] = history
        return self._histories[(cell.row, cell.column)]


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


def _same(stored: Judged | None, cell: SearchedCell, rung: Rung, label: str) -> Verdict | None:
    """The stored verdict on this very evaluation, or None where it was another one or another policy's."""
    if stored is None or stored.stage_id != cell.stage_id or stored.policy != label:
        return None
    if repr(stored.score) != repr(rung.score):  # repr: NaN equals itself
        return None
    return Verdict(stop=stored.stop, reason=stored.reason, peers=dict(stored.peers))


def _rung(value: Judged) -> Rung:
    return Rung(
        recipe=str(value.proposal), fraction=value.fraction, score=value.score, items=items_from_json(value.items)
    )
