"""What a study will cost: its plan with what its store has done, and what searches will add, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stilts.app.checks import check_before_running
from stilts.app.filling import load_priors
from stilts.app.places import store_url
from stilts.app.resting import check_rests_on_nothing
from stilts.app.searching import check_searches, drawn_proposals
from stilts.app.soundness import tell_damage
from stilts.app.workspace import Workspace, assemble
from stilts.ledger.view import StudyView
from stilts.search.expectation import Expectation
from stilts.search.foreseen import foreseen_plan, num_to_draw
from stilts.search.price import still_to_come
from stilts.store import find_store
from stilts.store.store import Store
from stilts.study.cost import Cost, assumed_seconds, estimate
from stilts.study.draws import num_confirming
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.policy_schema import GRID
from stilts.study.search_space import Proposal
from stilts.study.stage import Stage, TrainStage
from stilts.study.study import Study


def planned(study: str, store: str | None, *, at_once: int = 1) -> tuple[Cost, list[dict[str, Any]]]:
    """The cost of finishing a study with so many stages at once, and its stages grouped by kind and name."""
    workspace = assemble(Study.load(study))
    check_before_running(workspace)
    opened = find_store(store_url(store))
    if opened is not None:
        check_searches(workspace, opened)
        load_priors(workspace.study, opened)
    else:
        check_rests_on_nothing(workspace.study, store_url(store))
    drawn = drawn_proposals(workspace.resolved, opened)
    plan = make_plan(workspace.resolved, drawn)
    to_draw = num_to_draw(workspace.resolved, drawn)
    whole = foreseen_plan(workspace.resolved, drawn, to_draw) if to_draw else plan
    view = StudyView(record=plan.record, store=opened) if opened else None
    damaged = view.faults if view else {}
    tell_damage(workspace.study.name, damaged)
    done = view.published - damaged.keys() if view else frozenset()
    gone = opened.gone_keys() if opened else frozenset()
    pruned = view.pruned_stages if view else frozenset()
    expectation = Expectation.measured(plan, done, opened) if opened else Expectation()
    resources = workspace.study.file.resources
    cost = estimate(
        plan,
        done,
        gone,
        pruned=pruned,
        measured=expectation.seconds,
        gpus=resources.gpus,
        concurrent=at_once,
        gpu_hour_price=workspace.study.file.gpu_hour_price,
        artifact_bytes=_artifact_bytes(plan, done, opened),
        coming=[stage for stage_id, stage in whole.stages.items() if stage_id not in plan.stages],
        open_proposals=sum(to_draw.values()),
        open_confirmations=_num_confirming(workspace, drawn),
    )
    needed = plan.needed(done, gone, plan.with_below(pruned))
    return replace(cost, notes=plan.record.notes), _grouped(plan, set(needed), expectation, resources.gpus)


def filling_text(path: str) -> str:
    """What of the planned grid a policy or a budget will leave out; empty where all of it is run."""
    wanted = Study.load(path).file.policy
    limits = wanted.budget.given() if wanted.budget else {}
    within = " and ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in limits.items())
    budget = f" within {within}" if within else ""
    if wanted.name == GRID:
        return f"Of these it runs what fits{budget}." if budget else ""
    asked = f'the policy "{wanted.name}" asks for what settles the answer{budget}'
    return f"That is the whole grid; {asked}."


def _num_confirming(workspace: Workspace, drawn: Mapping[str, Sequence[Proposal]]) -> int:
    """How many replicates are still to confirm what searched rows choose: none of a row whose choice is made."""
    study, resolved = workspace.study, workspace.resolved
    found = 0
    for row, search in ((row, content.search) for row, content in study.rows.items() if content.search is not None):
        if search.confirm and not any(one.stands_for for one in drawn.get(row, ())):
            each = {column: num_confirming(resolved, row, column) for column in study.columns}
            still = still_to_come(row, search.objectives, each)
            found += still.recipes * sum(each.values())
    return found


def _artifact_bytes(plan: Plan, done: frozenset[str], store: Store | None) -> int:
    """Bytes of a train stage's weights: measured where one is done, else four for each weight of the layers."""
    for stage_id, stage in plan.stages.items():
        if store is not None and isinstance(stage, TrainStage) and plan.is_done(stage_id, done):
            return sum(store.sizes(stage_id).values())
    return 4 * max((stage.encoder.num_parameters for stage in plan.stages.values()), default=0)


def _grouped(plan: Plan, needed: set[str], expectation: Expectation, gpus: float) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for stage_id, stage in plan.stages.items():
        group = groups.setdefault(
            (stage.kind.value, stage.name),
            {
                "kind": stage.kind.value,
                "name": stage.name,
                "stages": 0,
                "requested": 0,
                "to_run": 0,
                "seconds": 0.0,
                "ids": [],
            },
        )
        group["stages"] += 1
        group["ids"].append(stage_id)
        group["requested"] += plan.requested[stage_id]
        if stage_id in needed:
            group["to_run"] += 1
            group["seconds"] += _expected(stage, expectation, gpus)
    return list(groups.values())


def _expected(stage: Stage, expectation: Expectation, gpus: float) -> float:
    measured = expectation.seconds(stage)
    return measured if measured is not None else assumed_seconds(stage, gpus)
