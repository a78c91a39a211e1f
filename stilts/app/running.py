"""run and load_matrix: what a study does, from Python or behind the command line."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from stilts.addresses import shown_address
from stilts.analysis.champion import pinned_stages
from stilts.analysis.matrix import load_matrix as matrix_frame
from stilts.app.asking_nodes import NodePlaces, check_nodes
from stilts.app.checks import check_before_running, check_encoder, check_splits
from stilts.app.filling import make_filling
from stilts.app.measuring import keep_fertility
from stilts.app.places import (
    checked_tracking_uri,
    load_record,
    make_store_at,
    open_store_at,
    store_url,
    tracking_uri,
)
from stilts.app.ranks import device_of, ranks_of
from stilts.app.roots import DATA, ENCODERS, TEXT
from stilts.app.searching import row_confirmations, row_races, row_searches
from stilts.app.showcase import tracker_of
from stilts.app.soundness import check_sound
from stilts.app.workspace import Workspace, assemble
from stilts.ledger.gc import apply_gc, plan_gc
from stilts.ledger.study_record import write_study
from stilts.ledger.view import StudyView
from stilts.scheduling.attempt import StoreExecutor
from stilts.scheduling.claimant import Claimant
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.events import Fact, OnEvent, Phase, RunReport, Snapshot
from stilts.scheduling.runner import run_stages
from stilts.scheduling.sequential import run_sequentially
from stilts.scheduling.signals import handled, received
from stilts.scheduling.within_job import away, claim, submission_id
from stilts.search.conductor import Conductor
from stilts.search.pruning_rules import pruning_rule
from stilts.shown import remark
from stilts.store.retention import DropKind
from stilts.store.store import Store
from stilts.study.holding import Holding
from stilts.study.schema import StudyResources
from stilts.study.slots import Node, Resources
from stilts.study.stage import StageKind
from stilts.study.study import Study
from stilts.training.run_config import RunConfig

# How long the end of a run waits for MLflow, in seconds; it can be interrupted. After Ctrl-C the user wants out; who
# sends SIGTERM kills after 30 s and more, of which the last checkpoints may take twelve.
_FINISHED_S, _INTERRUPTED_S, _ENDED_S = 600.0, 5.0, 15.0
# How often a running study looks for weights that nobody needs any more, in finished stages.
_TIDY_EVERY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Where and how a study runs.

    ``store`` and ``tracking`` are addresses (None: STILTS_STORE or ``stilts_store``, MLFLOW_TRACKING_URI or
    ``sqlite:///mlflow.db``; "none" tracks nothing). ``local`` runs stages one by one in this process,
    without Ray; ``address`` is a Ray cluster's. ``threads`` is torch's per stage, None as many as the stage has CPUs.
    ``ranks`` is how many processes work on a stage, None one for each GPU that it holds.
    ``checkpoint_every_s`` is the time between a stage's checkpoints in seconds, None RunConfig's.
    ``roots`` are folders by the name of a root (data, text, encoders, tasks), in place of what the study file says.
    """

    store: str | None = None
    tracking: str | None = None
    local: bool = False
    address: str | None = None
    num_cpus: int | None = None
    device: str | None = None
    threads: int | None = None
    ranks: int | None = None
    checkpoint_every_s: float | None = None
    keep_weights: bool = False
    roots: Mapping[str, str] = field(default_factory=dict)


@handled()
def run(
    study: Study | str | Path,
    options: RunOptions | None = None,
    *,
    on_event: OnEvent = lambda event: None,
    on_ready: Callable[[Workspace, Conductor], None] = lambda workspace, conductor: None,
) -> RunReport:
    """Fills the study's matrix, and says which stages were done, pruned or failed.

    What the store has already is not run again, so running the same study again is how it resumes. In the main thread
    SIGTERM and SIGHUP end it as Ctrl-C does, and then go on to the handlers of before.
    """
    options = options or RunOptions()
    tracking = checked_tracking_uri(options.tracking, or_none=True)
    loaded = study if isinstance(study, Study) else Study.load(study)
    if _settings(options).joined is not None and not options.local:
        for line in _told(loaded, options):
            on_event(Fact(line=line))
    workspace = assemble(loaded, roots=options.roots)
    devices = _devices(workspace, options)
    on_event(Phase(doing=f"checking the data and the encoder of {workspace.study.name}"))
    check_before_running(workspace)
    check_encoder(workspace)
    store = make_store_at(options.store)
    check_splits(workspace, store)
    on_event(Phase(doing=f"planning over the store {shown_address(store.url)}"))
    conductor = make_conductor(workspace, store, options, on_change=lambda: tracker.notify())
    check_sound(StudyView(record=conductor.whole.record, store=store))
    with away():
        tracker, report = tracker_of(workspace.study.name, store, tracking), None
        try:
            on_ready(workspace, conductor)
            try:
                report = _execute(workspace, conductor, store, options, devices, on_event)
            finally:
                for search in conductor.searches.values():
                    search.close()
            if not report.interrupted:
                keep_fertility(workspace, store)
                if tracking != "none":
                    on_event(Phase(doing="bringing MLflow up to date"))
        finally:
            finished = report is not None and not report.interrupted
            shown = tracker.close(finished=finished, timeout_s=_FINISHED_S if finished else _patience())
        if not shown:
            remark('MLflow does not show yet how this run ended; "stilts track" shows what the store holds.')
        if finished:  # else the user wants out: the next run measures and tidies
            tidy(workspace.study.name, store, weights=not options.keep_weights, wanted=conductor.weights_wanted)
    return report


def load_matrix(study: Study | str | Path, *, store: str | None = None) -> pd.DataFrame:
    """The transfer matrix as a tidy DataFrame: one line per replicate, use and language."""
    opened = open_store_at(store)
    name = study.name if isinstance(study, Study) else str(study)
    return matrix_frame(StudyView(record=load_record(name, opened), store=opened))


def make_conductor(
    workspace: Workspace, store: Store, options: RunOptions, *, on_change: Callable[[], None]
) -> Conductor:
    """The conductor of a study over a store, ready to be asked for stages."""
    file = workspace.study.file
    finished = 0

    def changed(_: str) -> None:
        nonlocal finished
        finished += 1
        on_change()
        if finished % _TIDY_EVERY == 0 and not options.keep_weights:
            tidy(workspace.study.name, store, wanted=conductor.weights_wanted)

    conductor = Conductor(
        resolved=workspace.resolved,
        store=store,
        searches=row_searches(workspace, store),
        races=row_races(workspace, store),
        confirmations=row_confirmations(workspace.resolved, store),
        pruning=pruning_rule(file.pruning),
        filling=make_filling(workspace.study, store),
        budget=file.policy.budget,
        on_change=changed,
        on_plan=lambda plan: write_study(store, plan.record),
    )
    return conductor


def tidy(study: str, store: Store, *, weights: bool = True, wanted: frozenset[str] = frozenset()) -> int:
    """Drops what killed processes left and, unless told otherwise, weights that no planned stage needs any more.

    The champions' weights stay, those of every study in the store, and those ``wanted`` by stages that are not planned
    yet. Returns the bytes freed.
    """
    plan = plan_gc(store, [load_record(study, store)], pinned_stages(store) | wanted)
    drops = tuple(drop for drop in plan.drops if weights or drop.kind is not DropKind.FILES)
    return apply_gc(store, replace(plan, drops=drops)).bytes


def _patience() -> float:
    return _ENDED_S if received() == signal.SIGTERM else _INTERRUPTED_S


def _devices(workspace: Workspace, options: RunOptions) -> dict[Resources, tuple[str, int]]:
    """The device of stages, and on how many of it each runs, by what they hold; InputError before anything is read."""
    holding, found = Holding(file=workspace.study.file), {}
    for held in {*holding.classes, *map(holding.of_kind, StageKind)}:
        device = device_of(options.device, held, local=options.local, most_gpus=holding.most_gpus)
        found[held] = device, ranks_of(options.ranks, held, device, local=options.local)
    return found


def _execute(
    workspace: Workspace,
    conductor: Conductor,
    store: Store,
    options: RunOptions,
    devices: Mapping[Resources, tuple[str, int]],
    on_event: OnEvent,
) -> RunReport:
    if not conductor.has_work():  # without starting Ray for it
        return RunReport(done=(), pruned=(), failed={}, executed=0, seconds=0.0)
    on_event(Snapshot(progress=conductor.progress(), running=()))
    configs: dict[Resources, RunConfig] = {
        held: workspace.run_config(
            store,
            held=held,
            device=device,
            ranks=ranks,
            threads=options.threads,
            checkpoint_every_s=options.checkpoint_every_s,
            job=submission_id(),
        )
        for held, (device, ranks) in devices.items()
    }
    if options.local:
        return run_sequentially(conductor, store=store, configured=configs.__getitem__, on_event=on_event)
    owner, priority = claim()
    claimant = Claimant(study=workspace.study.name, owner=owner, priority=priority)
    settings = replace(_settings(options, conductor.holding.bounds), claimant=claimant)

    def offered(nodes: Sequence[Node]) -> None:
        conductor.max_open = conductor.holding.most_open(nodes)

    execute = StoreExecutor(store_url=store.url, configured=configs.__getitem__)

    def joined() -> None:
        for line in check_nodes(_places(workspace, store, options)):
            on_event(Fact(line=line))

    return run_stages(
        conductor, execute=execute, settings=settings, on_event=on_event, on_nodes=offered, on_joined=joined
    )


def _settings(options: RunOptions, bounds: StudyResources | None = None) -> RaySettings:
    return RaySettings(
        address=options.address,
        num_cpus=options.num_cpus,
        num_gpus=None,
        max_concurrent=bounds.max_concurrent if bounds else None,
        max_gpus=bounds.max_gpus if bounds else None,
        silent_s=(bounds or StudyResources()).silent_s,
    )


def _told(study: Study, options: RunOptions) -> Iterator[str]:
    """The first lines of a run on a cluster: the job, where results go, and where MLflow is."""
    job = submission_id()
    yield f"study {study.name}" + (f", Ray job {job}" if job else "")
    yield f"store {shown_address(store_url(options.store))}"
    uri = tracking_uri(options.tracking)
    yield "no tracking" if uri == "none" else f"MLflow at {shown_address(uri)}"


def _places(workspace: Workspace, store: Store, options: RunOptions) -> NodePlaces:
    """What every node of a cluster must have: roots of what the study reads, and where all write."""
    roots = {name: folder for name, folder in workspace.roots.items() if name in (DATA, TEXT) or name in options.roots}
    if workspace.encoder_path is not None:
        roots[ENCODERS] = str(workspace.encoder_path)
    return NodePlaces(roots=roots, store=store.url, tracking=tracking_uri(options.tracking))
