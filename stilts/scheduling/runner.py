"""run_stages: a WorkSource's stages as Ray Tune trials, until there are no more."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from stilts.errors import InputError
from stilts.scheduling import signals
from stilts.scheduling.attempt import Executor
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.credentials import credentials_kept_back
from stilts.scheduling.desk import Desk
from stilts.scheduling.events import Fact, OnEvent, Phase, RunReport, ignore
from stilts.scheduling.floor import Floor
from stilts.scheduling.health import Health, RayDied
from stilts.scheduling.live_nodes import OnNodes, live_nodes
from stilts.scheduling.sharing import shared
from stilts.scheduling.silence import Silence
from stilts.search.work_source import WorkSource
from stilts.shown import remark
from stilts.study.slots import Node, Resources, num_slots


def run_stages(
    source: WorkSource,
    *,
    execute: Executor,
    settings: RaySettings | None = None,
    on_event: OnEvent = ignore,
    on_nodes: OnNodes = lambda nodes: None,
    on_joined: Callable[[], None] = lambda: None,
) -> RunReport:
    """What the run did, once the source is finished or a signal ends it (Ctrl-C).

    ``execute`` runs a stage in the worker; a store that it names must be the same place on every node. ``on_nodes``
    hears what nodes the cluster has, before the first stage and while the run lasts. ``on_joined`` is called once a
    cluster that is joined is connected, and may raise.
    Failed stages are in the report; errors of the source itself are raised.
    """
    settings = settings or RaySettings()
    floor = Floor(max_gpus=settings.max_gpus, beside_gpus=any(held.gpus for held in source.classes))
    desk = Desk(source, on_event, max_concurrent=settings.max_concurrent, floor=floor)
    scratch = tempfile.mkdtemp(prefix="stilts-tune-")
    on_event(Phase(doing="starting Ray" if settings.joined is None else "joining the Ray cluster"))
    try:
        with ray_cluster(settings), credentials_kept_back():
            seen = _both(floor.see, on_nodes)
            seen(live_nodes())
            _check_resources(source, settings)
            if settings.joined is not None:
                on_event(Fact(line=_offer(source)))
                on_joined()
            with shared(floor, settings, on_event) as share:
                _tune(desk, execute, scratch, seen, settings, share)
    except KeyboardInterrupt:
        return desk.report(interrupted=True)
    except RayDied as died:
        raise died.explained() from None
    finally:
        signals.rest()
        shutil.rmtree(scratch, ignore_errors=True)
    return desk.report()


def _both(floor: OnNodes, listener: OnNodes) -> OnNodes:
    def seen(nodes: Sequence[Node]) -> None:
        floor(nodes)
        listener(nodes)

    return seen


def _offer(source: WorkSource) -> str:
    """``cluster of 3 nodes: 12 CPUs and 4 GPUs; a stage holds 1 CPU``."""
    nodes = live_nodes()
    number = f"{len(nodes)} node" + ("s" if len(nodes) != 1 else "")
    has = Resources(cpus=sum(node.cpus for node in nodes), gpus=sum(node.gpus for node in nodes))
    held = " or ".join(map(str, source.classes)) or "nothing"
    return f"cluster of {number}: {has}; a stage holds {held}"


def _check_resources(source: WorkSource, settings: RaySettings) -> None:
    """Raises InputError where no node of the cluster can ever hold a stage; one that grows may, later."""
    nodes = live_nodes()
    for held in (held for held in source.classes if not num_slots(nodes, held)):
        if settings.joined is None:
            cpus, gpus = (max((getattr(node, name) for node in nodes), default=0) for name in ("cpus", "gpus"))
            raise InputError(
                "resources of the study",
                f"a stage holds {held.cpus:g} CPUs and {held.gpus:g} GPUs, "
                f"but this machine offers {cpus:g} and {gpus:g}",
                "It would wait for ever",
                "Ask for less under resources, or give the address of a larger cluster: --address",
            )
        remark(
            f"No node of the cluster holds {held.cpus:g} CPUs and {held.gpus:g} GPUs together, as a stage does: "
            "it waits for one that does."
        )


def _tune(
    desk: Desk, execute: Executor, scratch: str, on_nodes: OnNodes, settings: RaySettings, share: Callable[[], None]
) -> None:
    """Lets Tune run until the searcher is finished, and raises what the driver's side failed with.

    At a signal, the stages in flight save a last checkpoint before it is passed on. ``share`` is called all the time.
    """
    from ray import tune

    from stilts.scheduling.board import end_stages, start_board
    from stilts.scheduling.searcher import DeskCallback, StageSearcher
    from stilts.scheduling.trainable import StageTrainable
    from stilts.scheduling.warm import StageScheduler, placement

    board, searcher = start_board(), StageSearcher(desk, share)
    grows, silence = settings.joined is not None, Silence(settings.silent_s)
    health = Health()
    callback = DeskCallback(desk, searcher, board, on_nodes, grows=grows, silence=silence, health=health)
    searcher.waits = callback.waits
    trainable = tune.with_resources(tune.with_parameters(StageTrainable, execute=execute, board=board), placement)
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=StageScheduler(desk.floor or Floor()),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_stage_name,
            trial_dirname_creator=_folder_name,
        ),
        run_config=tune.RunConfig(
            name="stages",
            storage_path=scratch,
            verbose=0,
            # The desk hands a lost stage out again, also where Tune gives up (a worker that dies between two stages).
            failure_config=tune.FailureConfig(max_failures=0),
            # Stages checkpoint into the store themselves.
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[callback],
        ),
    )
    try:
        with health:
            tuner.fit()
    except KeyboardInterrupt:
        end_stages(board, desk.in_flight)
        raise
    except Exception:
        if searcher.error is None:
            raise
    if searcher.error is not None:
        raise searcher.error


def _stage_name(trial: Any) -> str:
    return str(trial.config["stage_id"])


def _folder_name(trial: Any) -> str:
    """A stage that is tried again is another trial, so the stage id alone would not be unique."""
    return f"{trial.config['stage_id']}-{trial.trial_id}"
