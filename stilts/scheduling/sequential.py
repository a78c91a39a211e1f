"""run_sequentially: a WorkSource's stages one after the other in this process, without Ray."""

from __future__ import annotations

import time
from collections.abc import Callable

from stilts.fingerprint import Json
from stilts.scheduling import signals
from stilts.scheduling.attempt import Ended, attempt
from stilts.scheduling.desk import Desk
from stilts.scheduling.events import OnEvent, RunReport, ignore
from stilts.search.work_source import NoStage, WorkSource
from stilts.store.artifact_store import ArtifactStore
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.training.crew import end_crew
from stilts.training.reporter import Evaluation, Reply, Reporter, SilentReporter
from stilts.training.run_config import RunConfig

_WAIT_S = 0.2
# How long a signal waits for the end of a training step, and with it for a checkpoint of that step.
_STEP_S = 10.0
_SHOW_EVERY_S = 0.5


class DeskReporter:
    """Passes on to another reporter, shows the desk's progress, and asks the desk which stages stop."""

    def __init__(self, desk: Desk, inner: Reporter) -> None:
        self._desk, self._inner = desk, inner
        self._shown = 0.0

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Passes the step on; shows it twice a second at most. A signal ends the stage here, after a whole step."""
        self._inner.progress(stage_id, step, steps)
        if time.monotonic() - self._shown >= _SHOW_EVERY_S:
            self._shown = time.monotonic()
            self._desk.show({stage_id: (step, steps)})
        signals.look(within_s=_STEP_S)

    def evaluated(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Reply:
        """STOP where the source or the other reporter says so."""
        inner = self._inner.evaluated(stage_id, step, steps, evaluation)
        return Reply.STOP if self._desk.stops(stage_id, step, steps, evaluation) else inner


def run_sequentially(
    source: WorkSource,
    *,
    store: ArtifactStore,
    configured: Callable[[Resources], RunConfig],
    reporter: Reporter | None = None,
    on_event: OnEvent = ignore,
    execute: Callable[[Stage, Reporter], Ended] | None = None,
) -> RunReport:
    """What the run did, once the source is finished or the user interrupts (Ctrl-C).

    ``configured`` says how a stage is run by what it holds; ``execute`` replaces what runs it.
    """
    desk = Desk(source, on_event)
    inner = DeskReporter(desk, reporter or SilentReporter())
    try:
        while (stage := desk.next_stage()) is not NoStage.FINISHED:
            signals.look()
            if isinstance(stage, NoStage):
                time.sleep(_WAIT_S)
            else:
                run = execute or _executor(store, configured(desk.resources(stage)))
                desk.settle(_in_this_process(attempt(run, stage, inner)))
    except KeyboardInterrupt:
        return desk.report(interrupted=True)
    finally:
        signals.rest()
        end_crew()
    return desk.report()


def _in_this_process(outcome: dict[str, Json]) -> dict[str, Json]:
    """The outcome where there is no other process: after an error of CUDA no stage of this one would work."""
    if not outcome["spoiled"] or "cuda" not in str(outcome["error"]).lower():
        return outcome
    told = f"{outcome['error']} No stage works any more in a process that this happened to: run the study again"
    return {**outcome, "error": told, "may_pass": False, "ends_run": True}


def _executor(store: ArtifactStore, run_config: RunConfig) -> Callable[[Stage, Reporter], Ended]:
    """Runs stages on a store that is open already."""
    from stilts.execute.run_stage import StageOutcome, run_stage

    def execute(stage: Stage, reporter: Reporter) -> StageOutcome:
        return run_stage(stage, store, run_config, reporter)

    return execute
