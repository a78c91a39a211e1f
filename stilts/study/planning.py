"""``make_plan``: from a resolved study, with the proposals drawn so far, to a Plan.

Rows become recipes (train stages on an intermediate), cells become target fine-tunings on top of them, and every model
that a cell asks for is evaluated. Equal stages are one stage: that is all the sharing there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from stilts.study.chains import evaluation_stage, fine_tuning_stage, recipe_line, recipe_stage
from stilts.study.draws import ReplicateDraw, draws
from stilts.study.estimating import add_estimates
from stilts.study.plan import Plan
from stilts.study.record import NONE_ROW, Replicate
from stilts.study.recording import make_record
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_space import Proposal
from stilts.study.stage import EvaluateStage, Stage, TrainStage
from stilts.study.stressed import check_robustness, stressed_stage

Proposals = Mapping[str, Sequence[Proposal]]


def make_plan(resolved: ResolvedStudy, proposals: Proposals = MappingProxyType({})) -> Plan:
    """The plan with these proposals of each searched row; a searched row without any has no stages yet."""
    study = resolved.study
    for row in study.rows:
        resolved.parts(row)  # searched ones too, so that errors of their data surface at once
    check_robustness(resolved)
    stages: dict[str, Stage] = {}
    requested: dict[str, int] = {}
    replicates: list[Replicate] = []
    for row in study.rows:
        for column in study.columns:
            for draw in draws(resolved, row, column, proposals.get(row, ())):
                chain = _chain(resolved, row, column, draw)
                stressed = _stressed(resolved, column, draw, chain[-1].parent)
                for stage in (*chain, *stressed):
                    stages.setdefault(stage.stage_id, stage)
                    requested[stage.stage_id] = requested.get(stage.stage_id, 0) + 1
                replicates.append(_replicate(resolved, row, column, draw, chain[-1], stressed))
    estimates = add_estimates(resolved, stages, requested)
    record = make_record(resolved, stages, replicates, estimates, proposals)
    return Plan(stages=stages, requested=requested, record=record)


def _chain(resolved: ResolvedStudy, row: str, column: str, draw: ReplicateDraw) -> list[Stage]:
    """The stages of one replicate, parents first: pretraining, recipe, fine-tuning, evaluation where they exist."""
    chain: list[TrainStage] = [resolved.pretraining] if resolved.pretraining is not None else []
    if draw.intermediate_seed is not None:
        chain = recipe_line(resolved, row, draw.proposal, draw.intermediate_seed)
    if draw.target_seed is not None:
        for is_before in (True, False):
            if not is_before or resolved.target(column).before is not None:
                parent = chain[-1] if chain else None
                tuned = fine_tuning_stage(
                    resolved, column, parent, draw.target_seed, draw.proposal, is_before=is_before
                )
                chain.append(tuned)
    return [*chain, evaluation_stage(resolved, column, chain[-1].stage_id if chain else None)]


def _stressed(
    resolved: ResolvedStudy, column: str, draw: ReplicateDraw, parent: str | None
) -> tuple[EvaluateStage, ...]:
    """What stresses a replicate's model: of a searched row only what confirms its choice."""
    found = stressed_stage(resolved, column, parent) if draw.proposal is None or draw.is_fresh else None
    return () if found is None else (found,)


def _by_label(stressed: tuple[EvaluateStage, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for stage in stressed:
        for item, key in zip(stage.items, stage.outputs, strict=True):
            if item.stress is not None:
                found.setdefault(item.stress.label, {})[item.view.language] = key
    return found


def _replicate(
    resolved: ResolvedStudy,
    row: str,
    column: str,
    draw: ReplicateDraw,
    evaluated: Stage,
    stressed: tuple[EvaluateStage, ...],
) -> Replicate:
    assert isinstance(evaluated, EvaluateStage)
    outputs: dict[str, dict[str, str]] = {}
    for item, key in zip(evaluated.items, evaluated.outputs, strict=True):
        outputs.setdefault(item.use.value, {})[item.view.language] = key
    trained = None if row == NONE_ROW else recipe_stage(resolved, row, draw.proposal, draw.intermediate_seed or 0)
    return Replicate(
        row=row,
        column=column,
        intermediate_seed=draw.intermediate_seed,
        target_seed=draw.target_seed,
        proposal=draw.proposal.number if draw.proposal else None,
        intermediate_stage=trained.stage_id if trained else None,
        target_stage=evaluated.parent if draw.target_seed is not None else None,
        evaluate_stage=evaluated.stage_id,
        outputs=outputs,
        confirms=draw.is_fresh,
        stressed=_by_label(stressed),
    )
