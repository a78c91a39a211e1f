"""Desk: hands a source's stages out, takes their outcomes back, and decides what is run again. No Ray.

An outcome is what ``attempt.py`` returns: ``done``, ``pruned``, ``failed`` or ``busy`` (another process holds the
stage's lease: an other driver, or a worker that was killed and whose lease has not run out yet).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from stilts.errors import StageFailedError, StoreUnavailableError
from stilts.fingerprint import Json
from stilts.scheduling.events import Happening, OnEvent, RunReport, Snapshot, StageEvent, StageStep, ignore
from stilts.scheduling.floor import Floor
from stilts.scheduling.within_job import submission_id
from stilts.search.work_source import Fits, Measured, NoStage, WorkSource, anything
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.training.reporter import Evaluation

MAX_RETRIES = 2
# Of a process that was killed nobody knows whether its stage was to blame: on nodes that come and go it mostly is not.
MAX_DEATHS = 5
BUSY_WAIT_S = 2.0
# A store that does not answer is given some time before it is asked again.
STORE_WAIT_S = 10.0


class Desk:
    """Between one WorkSource and whoever runs its stages; all methods are called from one thread.

    A stage whose failure may pass is handed out again at most ``MAX_RETRIES`` times without a further step, one whose
    process died ``MAX_DEATHS`` times; a busy one after ``BUSY_WAIT_S`` seconds, as often as needed.
    ``max_concurrent`` caps the stages in flight; with a ``floor`` only what fits there is handed out.
    """

    def __init__(
        self,
        source: WorkSource,
        on_event: OnEvent = ignore,
        *,
        max_concurrent: int | None = None,
        floor: Floor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._on_event, self._clock = source, on_event, clock
        self._max_concurrent = max_concurrent
        self.floor = floor
        self._nodes: dict[str, str] = {}
        self._leaving: set[str] = set()
        self._in_flight: dict[str, Stage] = {}
        self._first: dict[str, tuple[int, float]] = {}  # the step at which a stage in flight was first seen, and when
        self._again: dict[str, tuple[float, Stage]] = {}
        self._retries: dict[str, int] = {}
        self._steps: dict[str, int] = {}  # the last step that was seen of a stage
        self._lost_at: dict[str, int] = {}  # the furthest step at which it was lost
        self._done: list[str] = []
        self._pruned: list[str] = []
        self._failed: dict[str, str] = {}
        self._executed = 0
        self._started = clock()

    def next_stage(self) -> Stage | NoStage:
        """The stage to run now, or why there is none."""
        if self._max_concurrent is not None and len(self._in_flight) >= self._max_concurrent:
            return NoStage.WAIT
        fits = anything if self.floor is None else self.floor.ask()
        stage = self._due(fits) or self._source.next_stage(fits)
        if isinstance(stage, NoStage):
            return NoStage.WAIT if self._in_flight or self._again else stage
        self._in_flight[stage.stage_id] = stage
        if self.floor is not None:
            self._nodes[stage.stage_id] = self.floor.place(stage.stage_id, self.resources(stage))
        self._first.pop(stage.stage_id, None)
        self._say(Happening.STARTED, stage.stage_id)
        return stage

    @property
    def in_flight(self) -> list[str]:
        """The stages that were handed out and are not settled."""
        return list(self._in_flight)

    def resources(self, stage: Stage) -> Resources:
        """What the stage holds while it runs."""
        return self._source.resources(stage)

    @property
    def classes(self) -> Sequence[Resources]:
        """All that some stage may hold."""
        return self._source.classes

    def node_of(self, stage: Stage) -> str:
        """The node that a stage in flight was given; "" where any will do."""
        return self._nodes.get(stage.stage_id, "")

    def begun(self, stage_id: str) -> None:
        """Notes that a process has a stage in flight."""
        if self.floor is not None:
            self.floor.begun(stage_id)

    def recalled(self, stage_id: str) -> None:
        """Takes back a stage in flight that never began; it is handed out again."""
        self._put_back(stage_id, 0.0)

    def leave(self, node_ids: Collection[str]) -> list[str]:
        """The stages in flight on nodes that are about to go; that they do not end there is no failure of theirs."""
        self._leaving.update(node_ids)
        return [stage_id for stage_id, node_id in self._nodes.items() if node_id in node_ids]

    def settle(self, outcome: Mapping[str, Json]) -> None:
        """Takes the outcome of a stage in flight."""
        stage_id, state = str(outcome["stage_id"]), outcome["state"]
        if state in ("busy", "failed") and self._moved(stage_id):
            return
        if state == "busy":
            self._put_back(stage_id, BUSY_WAIT_S)
            self._say(Happening.WAITING, stage_id, str(outcome["error"]))
        elif state == "failed":
            may_pass, ends_run = bool(outcome["may_pass"]), bool(outcome.get("ends_run"))
            self.lost(stage_id, str(outcome["error"]), may_pass=may_pass, ends_run=ends_run)
        else:
            self._finish(stage_id, outcome)

    def lost(
        self, stage_id: str, error: str, *, may_pass: bool = True, ends_run: bool = False, died: bool = False
    ) -> None:
        """Takes the failure of a stage in flight, or the death of its process (``died``); what may pass is tried again.

        Raises StageFailedError, once it is told, for one that no other stage would be spared (``ends_run``), and where
        the store cannot take it.
        """
        if self._moved(stage_id):
            return
        reached, before = self._steps.pop(stage_id, 0), self._lost_at.get(stage_id, 0)
        retries = 0 if reached > before else self._retries.get(stage_id, 0)
        most = MAX_DEATHS if died else MAX_RETRIES
        if not (may_pass and retries < most):
            self._give_up(stage_id, error, ends_run=ends_run)
            return
        self._source.failed(stage_id, error, will_retry=True)
        self._retries[stage_id], self._lost_at[stage_id] = retries + 1, max(reached, before)
        self._put_back(stage_id, STORE_WAIT_S if ends_run else 0.0)
        self._say(Happening.RETRIED, stage_id, f"{error} (retry {retries + 1} of {most})")

    def stops(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> bool:
        """Whether the stage stops after the evaluation at ``step``; one that ended is not asked about."""
        return stage_id in self._in_flight and self._source.stops(stage_id, step, steps, evaluation)

    def show(self, steps: Mapping[str, tuple[int, int]]) -> None:
        """Tells the listener where the run is; ``steps`` maps stage ids to (step, steps)."""
        self._steps |= {stage_id: steps[stage_id][0] for stage_id in self._in_flight if stage_id in steps}
        none = (0, 0)
        running = tuple(
            StageStep(stage_id=one, step=steps.get(one, none)[0], steps=steps.get(one, none)[1])
            for one in self._in_flight
        )
        measured = {one.stage_id: pace for one in running if (pace := self._measured(one)) is not None}
        self._on_event(Snapshot(progress=self._source.progress(measured), running=running))

    def report(self, *, interrupted: bool = False) -> RunReport:
        """What happened so far; the listener hears where it ended, and on an interrupt how to go on."""
        self.show({})
        if interrupted:
            count = len(self._in_flight)
            kept = f" {count} running go on from their last checkpoint, where training had begun." if count else ""
            again = "Run the same command again." if submission_id() is None else "Submit the study again."
            self._say(Happening.INTERRUPTED, "", f"What is done stays done.{kept} {again}")
        return RunReport(
            done=tuple(self._done),
            pruned=tuple(self._pruned),
            failed=dict(self._failed),
            executed=self._executed,
            seconds=self._clock() - self._started,
            interrupted=interrupted,
        )

    def _moved(self, stage_id: str) -> bool:
        """Whether the stage was on a node that leaves the cluster; it is handed out again then, as if it were new."""
        if self._nodes.get(stage_id) not in self._leaving:
            return False
        self._put_back(stage_id, 0.0)
        self._say(Happening.RETRIED, stage_id, "its node leaves the cluster; it goes on from its last checkpoint")
        return True

    def _measured(self, one: StageStep) -> Measured | None:
        """What a stage's steps say of its time, from the second look at it on: loading is no step."""
        now = self._clock()
        first, begun = self._first.setdefault(one.stage_id, (one.step, now)) if one.step else (0, now)
        if not 0 < first < one.step:
            return None
        each = (now - begun) / (one.step - first)
        return Measured(whole_s=each * one.steps, left_s=each * (one.steps - one.step))

    def _give_up(self, stage_id: str, error: str, *, ends_run: bool) -> None:
        self._left(stage_id)
        try:
            if not self._source.failed(stage_id, error, will_retry=False):
                return
        except (OSError, StoreUnavailableError) as unrecorded:  # the first error is the one to be told
            self._say(Happening.FAILED, stage_id, error)
            raise _hopeless(stage_id, error) from unrecorded
        self._failed[stage_id] = error
        self._say(Happening.FAILED, stage_id, error)
        if ends_run:
            raise _hopeless(stage_id, error)

    def _due(self, fits: Fits) -> Stage | None:
        now = self._clock()
        for stage_id, (at, stage) in self._again.items():
            if at <= now and fits(self.resources(stage)):
                return self._again.pop(stage_id)[1]
        return None

    def _put_back(self, stage_id: str, wait_s: float) -> None:
        self._again[stage_id] = (self._clock() + wait_s, self._left(stage_id))

    def _left(self, stage_id: str) -> Stage:
        """A stage that is in flight no more, and holds nothing."""
        self._nodes.pop(stage_id, None)
        if self.floor is not None:
            self.floor.leave(stage_id)
        return self._in_flight.pop(stage_id)

    def _finish(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        self._left(stage_id)
        pruned, seconds = outcome["state"] == "pruned", outcome["seconds"]
        (self._pruned if pruned else self._done).append(stage_id)
        self._executed += bool(outcome["executed"])
        told = {name: outcome[name] for name in ("state", "stage_id", "executed", "seconds")}
        self._source.finished(stage_id, told)
        spent = float(seconds) if isinstance(seconds, int | float) else None
        self._say(Happening.PRUNED if pruned else Happening.DONE, stage_id, seconds=spent)

    def _say(self, happening: Happening, stage_id: str, message: str = "", seconds: float | None = None) -> None:
        self._on_event(StageEvent(happening=happening, stage_id=stage_id, message=message, seconds=seconds))


def _hopeless(stage_id: str, error: str) -> StageFailedError:
    return StageFailedError(
        f"stage {stage_id}",
        error,
        "No other stage would fare better, so the run ends here; what is done stays done",
        "Mend the cause and type the same command again: it goes on from there",
    )
