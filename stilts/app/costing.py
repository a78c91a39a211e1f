"""What a study will cost: its plan with what its store has done, and what searches will add, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from stilts.app.adapter_notes import adapter_notes
from stilts.app.checks import check_before_running
from stilts.app.filling import load_priors
from stilts.app.hubless import MaybeHub
from stilts.app.lengths import SampledLengths
from stilts.app.offering import Offer
from stilts.app.places import store_url
from stilts.app.resting import check_rests_on_nothing
from stilts.app.searching import check_searches, drawn_proposals
from stilts.app.soundness import tell_damage
from stilts.app.stage_lines import StageLine, StageLines
from stilts.app.workspace import Workspace, assemble
from stilts.ledger.results import TrainResult
from stilts.ledger.tempo import known_tempo
from stilts.ledger.view import StudyView
from stilts.search.expectation import Expectation
from stilts.search.foreseen import foreseen_plan, num_to_draw
from stilts.search.price import still_to_come
from stilts.store import find_store
from stilts.store.store import Store
from stilts.study.config import Precision
from stilts.study.cost import Cost, estimate
from stilts.study.draws import num_confirming
from stilts.study.holding import Holding
from stilts.study.memory import peak_memory, placed
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.policy_schema import GRID
from stilts.study.rates import assumed_rate, assumed_seconds, precision_of
from stilts.study.search_space import Proposal
from stilts.study.slots import Resources
from stilts.study.stage import Stage, TrainStage
from stilts.study.study import Study
from stilts.study.trained import adapter_bytes
from stilts.study.workload import LengthsOf, assumed_lengths


def planned(study: str, store: str | None, offer: Offer | None = None) -> tuple[Cost, list[StageLine]]:
    """The cost of finishing a study on the machines of an offer, and its stages grouped by kind and name.

    Without an offer stages are run one after the other.
    """
    hub = MaybeHub()
    workspace = assemble(Study.load(study), hub)
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
    holding = Holding(file=workspace.study.file)
    holding.planned(whole)
    recomputes = holding.bounds.gradient_checkpointing

    def by_arithmetic(stage: Stage, lengths: LengthsOf = assumed_lengths) -> float:
        return assumed_seconds(stage, holding(stage), gradient_checkpointing=recomputes, lengths=lengths)

    lengths = SampledLengths(workspace=workspace, hub_is_away=hub.is_away)
    assumed = partial(by_arithmetic, lengths=lengths)

    def tempo(stage: Stage) -> float | None:
        return known_tempo(opened, stage, holding(stage), gradient_checkpointing=recomputes) if opened else None

    expectation = Expectation(assumed=assumed)
    if opened:
        expectation = Expectation.measured(plan, done, opened, assumed, tempo)
    cost = estimate(
        plan,
        done,
        gone,
        pruned=pruned,
        measured=expectation.seconds,
        assumed=assumed,
        held=holding,
        concurrent=_at_once(offer),
        gpu_hour_price=workspace.study.file.gpu_hour_price,
        artifact_bytes=_artifact_bytes(plan, done, opened),
        coming=[stage for stage_id, stage in whole.stages.items() if stage_id not in plan.stages],
        open_proposals=sum(to_draw.values()),
        open_confirmations=_num_confirming(workspace, drawn),
    )
    needed = plan.needed(done, gone, plan.with_below(pruned))
    waiting = [plan.stages[stage_id] for stage_id in needed]
    rates = {assumed_rate(precision_of(stage), holding(stage).gpus).source for stage in waiting}
    basis = " and ".join(sorted(rates))
    lines = StageLines(
        plan=plan,
        needed=set(needed),
        measured=expectation.seconds,
        assumed=assumed,
        peaks=_measured_peaks(plan, done, view),
        derived=lambda stage: peak_memory(stage, placed(holding(stage), holding.bounds), lengths),
        held=holding,
    )
    on_gpus = _on_gpus(precision_of(stage) for stage in plan.stages.values() if holding(stage).gpus)
    notes = (*plan.record.notes, *adapter_notes(plan), *workspace.gaps(), *_provisional(hub), *on_gpus)
    return replace(cost, notes=notes, basis=basis), lines.grouped()


def _at_once(offer: Offer | None) -> Callable[[Resources], int]:
    found = {Resources(cpus=one.cpus, gpus=one.gpus): one.at_once for one in offer.classes} if offer else {}
    return lambda held: found.get(held, 1)


def _on_gpus(precisions: Iterable[Precision]) -> Iterator[str]:
    """What stages on GPUs compute in: where the study does not say, nothing in its file does."""
    found = " or ".join(sorted({precision.value for precision in precisions}))
    if found:
        yield f'Stages hold GPUs and compute in {found}; "precision" under defaults says otherwise.'


def _provisional(hub: MaybeHub) -> Iterator[str]:
    """What is not known of a plan that was made without the hub."""
    if hub.missed:
        names = ", ".join(sorted(set(hub.missed)))
        yield (
            f"The hub cannot be asked: the commit of {names} is not known, so ids are provisional, and nothing of the "
            "store is recognised by them. Sizes are the declared ones."
        )


def _measured_peaks(plan: Plan, done: frozenset[str], view: StudyView | None) -> dict[str, float]:
    """The peaks of train stages that are done, in GiB."""
    trained = [i for i, one in plan.stages.items() if isinstance(one, TrainStage) and plan.is_done(i, done)]
    found = view.results(trained).values if view is not None else {}
    return {i: one.peak_memory_gib for i, one in found.items() if isinstance(one, TrainResult) and one.peak_memory_gib}


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


def _artifact_bytes(plan: Plan, done: frozenset[str], store: Store | None) -> Callable[[TrainStage], int]:
    """Bytes of what a train stage publishes: measured where one like it is done, else four for each weight."""
    whole = [stage for stage in plan.stages.values() if isinstance(stage, TrainStage) and stage.config.adapter is None]
    measured = [one.stage_id for one in whole if store is not None and plan.is_done(one.stage_id, done)]
    shapes = [stage.encoder.shape for stage in plan.stages.values() if stage.encoder.shape is not None]
    usual = 4 * max((shape.weights for shape in shapes), default=0)
    if store is not None and measured:
        usual = sum(store.sizes(measured[0]).values())

    def size(stage: TrainStage) -> int:
        adapter = adapter_bytes(stage)
        return usual if adapter is None else adapter

    return size
