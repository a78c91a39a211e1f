"""Planner: turns a study, with the proposals drawn so far, into a Plan.

Rows become recipes (train stages on an intermediate), cells become target fine-tunings on top of them, and every model
that a cell asks for is evaluated. Equal stages are one stage: that is all the sharing there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stilts.study.estimating import add_estimates
from stilts.study.plan import Plan
from stilts.study.record import NONE_ROW, Replicate
from stilts.study.recording import make_record
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.schema import Seeds
from stilts.study.search_space import FRESH_SEED, Proposal
from stilts.study.stage import EvaluateStage, Stage


@dataclass(kw_only=True)
class Planner(ResolvedStudy):
    """Plans one study. What it is made of is pinned once; asking for another plan after a proposal is cheap."""

    def plan(self, proposals: Mapping[str, Sequence[Proposal]] | None = None) -> Plan:
        """The plan with these proposals of each searched row; a searched row without any has no stages yet."""
        stages: dict[str, Stage] = {}
        requested: dict[str, int] = {}
        self._resolve_rows()
        replicates: list[Replicate] = []
        for row in self.study.rows:
            for column in self.study.columns:
                for draw in self._draws(row, column, proposals or {}):
                    chain = self._chain(row, column, draw)
                    for stage in chain:
                        stages.setdefault(stage.stage_id, stage)
                        requested[stage.stage_id] = requested.get(stage.stage_id, 0) + 1
                    replicates.append(self._replicate(row, column, draw, chain))
        estimates = add_estimates(self, stages, requested)
        record = make_record(self, stages, replicates, estimates, proposals or {})
        return Plan(stages=stages, requested=requested, record=record)

    def _resolve_rows(self) -> None:
        """Pins the data of every task that a row may train on, searched ones too, so that errors surface at once."""
        for row in self.study.rows:
            self.parts(row)

    def _chain(self, row: str, column: str, draw: _Draw) -> list[Stage]:
        """The stages of one replicate, parents first: pretraining, recipe, fine-tuning, evaluation where they exist."""
        chain: list[Stage] = [self.pretraining] if self.pretraining is not None else []
        if draw.intermediate_seed is not None:
            recipe = self.recipe(row, draw.proposal, draw.intermediate_seed)
            if recipe is not None:
                chain.append(recipe)
        parent = chain[-1].stage_id if chain else None
        if draw.target_seed is not None:
            if self.target(column).before is not None:
                chain.append(self.fine_tuning(column, parent, draw.target_seed, draw.proposal, is_before=True))
                parent = chain[-1].stage_id
            tuned = self.fine_tuning(column, parent, draw.target_seed, draw.proposal)
            chain.append(tuned)
            parent = tuned.stage_id
        chain.append(self.evaluation(column, parent))
        return chain

    def _draws(self, row: str, column: str, proposals: Mapping[str, Sequence[Proposal]]) -> Iterator[_Draw]:
        """What each replicate of a cell trains, each once: of a proposal its search's seeds, then those that confirm.

        Where nothing is seeded (row ``none`` on a target that does not train) a proposal is its own confirmation.
        """
        is_trained = self.target(column).task.is_trained
        cell_pairs = _seed_pairs(self.study.seeds(row, column))
        searched = self.study.rows[row].search is not None
        drawn: Sequence[Proposal | None] = proposals.get(row, ()) if searched else (None,)
        for proposal in drawn:
            confirms = proposal is not None and column in proposal.confirms
            pairs = [(k, k) for k in range(proposal.seeds)] if proposal else cell_pairs
            fresh = [(i + FRESH_SEED, t + FRESH_SEED) for i, t in cell_pairs] if confirms else []
            seeds = {
                (None if row == NONE_ROW else i, t if is_trained else None): is_fresh
                for is_fresh, some in ((False, pairs), (True, fresh))
                for i, t in some
            }
            for (intermediate_seed, target_seed), is_fresh in seeds.items():
                yield _Draw(proposal, intermediate_seed, target_seed, is_fresh)

    def num_confirming(self, row: str, column: str) -> int:
        """How many replicates confirm a recipe of a searched row on a column: as many as a fixed row has there."""
        is_trained = self.target(column).task.is_trained
        pairs = _seed_pairs(self.study.seeds(row, column))
        return len({(None if row == NONE_ROW else i, t if is_trained else None) for i, t in pairs} - {(None, None)})

    def _replicate(self, row: str, column: str, draw: _Draw, chain: Sequence[Stage]) -> Replicate:
        evaluation = chain[-1]
        assert isinstance(evaluation, EvaluateStage)
        outputs: dict[str, dict[str, str]] = {}
        for item, key in zip(evaluation.items, evaluation.outputs, strict=True):
            outputs.setdefault(item.use.value, {})[item.view.language] = key
        recipe = None if row == NONE_ROW else self.recipe(row, draw.proposal, draw.intermediate_seed or 0)
        return Replicate(
            row=row,
            column=column,
            intermediate_seed=draw.intermediate_seed,
            target_seed=draw.target_seed,
            proposal=draw.proposal.number if draw.proposal else None,
            intermediate_stage=recipe.stage_id if recipe else None,
            target_stage=evaluation.parent if draw.target_seed is not None else None,
            evaluate_stage=evaluation.stage_id,
            outputs=outputs,
            confirms=draw.is_fresh,
        )


class _Draw(NamedTuple):
    """What one replicate of a cell trains; ``is_fresh``: to confirm a chosen proposal."""

    proposal: Proposal | None
    intermediate_seed: int | None
    target_seed: int | None
    is_fresh: bool


def _seed_pairs(seeds: Seeds) -> list[tuple[int, int]]:
    """(intermediate seed, target seed): (0, 0), (1, 1), ... for a count, else every pair."""
    if seeds.count is not None:
        return [(number, number) for number in range(seeds.count)]
    return [(i, t) for i in range(seeds.intermediate_seeds or 1) for t in range(seeds.target_seeds or 1)]
