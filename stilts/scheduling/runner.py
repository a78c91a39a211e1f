"""run_stages: a WorkSource's stages as Ray Tune trials, until there are no more."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any

from stilts.errors import InputError
from stilts.scheduling import signals
from stilts.scheduling.attempt import Executor, StoreExecutor
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.credentials import credentials_kept_back
from stilts.scheduling.desk import Desk
from stilts.scheduling.events import OnEvent, Phase, RunReport, ignore
from stilts.scheduling.live_nodes import OnNodes, live_nodes
from stilts.scheduling.raylet import RayletDied
from stilts.search.work_source import WorkSource
from stilts.shown import remark
from stilts.study.slots import num_slots
from stilts.training.run_config import RunConfig


def run_stages(
    source: WorkSource,
    *,
    store_url: str,
    run_config: RunConfig,
    settings: RaySettings | None = None,
    on_event: OnEvent = ignore,
    on_nodes: OnNodes = lambda nodes: None,
    execute: Executor | None = None,
) -> RunReport:
    """What the run did, once the source is finished or a signal ends it (Ctrl-C).

    ``store_url`` must mean the same place on every node. ``on_nodes`` hears what nodes the cluster has, before the
    first stage and while the run lasts. ``execute`` replaces what runs a stage in the worker.
    Failed stages are in the report; errors of the source itself are raised.
    """
    settings = settings or RaySettings()
    desk = Desk(source, on_event, max_concurrent=settings.max_concurrent)
    execute = execute or StoreExecutor(store_url=store_url, run_config=run_config)
    scratch = tempfile.mkdtemp(prefix="stilts-tune-")
    on_event(Phase(doing="starting Ray" if settings.address is None else "joining the Ray cluster"))
    try:
        with ray_cluster(settings), credentials_kept_back():
            on_nodes(live_nodes())
            _check_resources(source, settings)
            _tune(desk, execute, scratch, on_nodes)
    except KeyboardInterrupt:
        return desk.report(interrupted=True)
    except RayletDied as died:
        raise died.explained() from None
    finally:
        signals.rest()
        shutil.rmtree(scratch, ignore_errors=True)
    return desk.report()


def _check_resources(source: WorkSource, settings: RaySettings) -> None:
    """Raises InputError where no node of the cluster can ever hold a stage; one that grows may, later."""
    wanted, nodes = source.stage_resources, live_nodes()
    if settings.address is None and not num_slots(nodes, cpus=wanted.cpus, gpus=wanted.gpus):
        raise InputError(
            "resources of the study",
            f"a stage holds {wanted.cpus:g} CPUs and {wanted.gpus:g} GPUs, but this machine offers "
            f"{max((node.cpus for node in nodes), default=0):g} and {max((node.gpus for node in nodes), default=0):g}",
            "It would wait for ever",
            "Ask for less under resources, or give the address of a larger cluster: --address",
        )
    if not num_slots(nodes, cpus=wanted.cpus, gpus=wanted.gpus):
        remark(
            f"No node of the cluster holds {wanted.cpus:g} CPUs and {wanted.gpus:g} GPUs together, as a stage does: "
            "it waits for one that does."
        )


def _tune(desk: Desk, execute: Executor, scratch: str, on_nodes: OnNodes) -> None:
    """Lets Tune run until the searcher is finished, and raises what the driver's side failed with.

    At a signal, the stages in flight save a last checkpoint before it is passed on.
    """
    from ray import tune

    from stilts.scheduling.board import end_stages, start_board
    from stilts.scheduling.searcher import DeskCallback, StageSearcher
    from stilts.scheduling.trainable import StageTrainable

    board, searcher = start_board(), StageSearcher(desk)
    trainable = tune.with_resources(tune.with_parameters(StageTrainable, execute=execute, board=board), _placement)
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
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
            callbacks=[DeskCallback(desk, searcher, board, on_nodes)],
        ),
    )
    try:
        tuner.fit()
    except KeyboardInterrupt:
        end_stages(board, desk.in_flight)
        raise
    except Exception:
        if searcher.error is None:
            raise
    if searcher.error is not None:
        raise searcher.error


def _placement(config: dict[str, Any]) -> Any:
    """The stage's placement group: one bundle."""
    from ray.tune import PlacementGroupFactory

    bundle = {"CPU": config["cpus"], **({"GPU": config["gpus"]} if config["gpus"] else {})}
    return PlacementGroupFactory([bundle])


def _stage_name(trial: Any) -> str:
    return str(trial.config["stage_id"])


def _folder_name(trial: Any) -> str:
    """A stage that is tried again is another trial, so the stage id alone would not be unique."""
    return f"{trial.config['stage_id']}-{trial.trial_id}"
