"""StageSearcher and DeskCallback: Ray Tune's two ways to ask and to tell, tied to a Desk.

Tune swallows or rewraps what is raised in here, so the first error of the driver's own side is kept and raised
again by the runner.
"""

from __future__ import annotations

import pickle
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.tune import Callback
from ray.tune.search import Searcher

from stilts.errors import StageFailedError
from stilts.scheduling import signals
from stilts.scheduling.desk import Desk
from stilts.scheduling.health import Health
from stilts.scheduling.leaving import Leaving
from stilts.scheduling.live_nodes import OnNodes, live_nodes
from stilts.scheduling.silence import Silence
from stilts.scheduling.trainable import to_config
from stilts.scheduling.wish import Wish
from stilts.search.work_source import NoStage

_LOOK_EVERY_S = 0.2
_SHOW_EVERY_S = 0.5
# A node of a cluster takes minutes to come.
_NODES_EVERY_S = 10.0
# Tune comes by every tenth of a second, unless the store is slow.
_EVENT_S = 3.0
_DIED = "WorkerDied"
# What Ray's many lines on a dead worker come to, by the words in them.
_DEATHS = {
    "running low on memory": "its node ran out of memory, so Ray ended it; resources.cpus bounds how many run there",
    "node has died": "its node is gone",
    "worker process has died": "its process was killed, or ended by itself",
}
# Where the worker was, in a line of those.
_NODE = re.compile(r"^\s*ip: (\S+)", re.MULTILINE)


class StageSearcher(Searcher):
    """Suggests the desk's next stage; None while nothing is ready, FINISHED at the end.

    ``share`` is called before each: it tells other studies of this one, and the floor of them. ``waits`` is called when
    nothing is ready: before its first trial Tune stays here, for ten minutes if need be, and comes by nowhere else.
    """

    def __init__(self, desk: Desk, share: Callable[[], None]) -> None:
        super().__init__(metric="seconds", mode="min")
        self._desk, self._share = desk, share
        self._stages: dict[str, str] = {}
        self.error: Exception | None = None
        self.waits: Callable[[], None] = lambda: None

    def suggest(self, trial_id: str) -> Any:
        """The config of the next trial."""
        if self.error is not None:
            return Searcher.FINISHED
        self.guard(self._share)
        found = self.guard(self._desk.next_stage)
        if found is None or found is NoStage.FINISHED:
            return Searcher.FINISHED
        if isinstance(found, NoStage):
            self.waits()
            return None
        self._stages[trial_id] = found.stage_id
        return to_config(found, self._desk.resources(found), self._desk.node_of(found))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Gives the outcome to the desk; failed trials reach it through DeskCallback, which knows their error.

        A trial without a result and without an error was taken back before it began.
        """
        stage_id = self._stages.pop(trial_id, "")
        if result is not None and not error:
            self.guard(lambda: self._desk.settle(result))
        elif not error and stage_id in self._desk.in_flight:
            self.guard(lambda: self._desk.recalled(stage_id))

    def guard(self, act: Callable[[], Any]) -> Any:
        """The value of ``act``; what it raises is kept in ``error``, and None comes back."""
        try:
            return act()
        except Exception as error:
            self.error = self.error or error
            return None

    def save(self, checkpoint_path: str) -> None:
        """Nothing: Tune holds no state that would be missed."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a run is resumed from the store."""

    def get_state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given for a restore that never comes; a study holds threads and locks."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Nothing."""


class DeskCallback(Callback):
    """Between two events of Tune: answers the board's questions, shows progress, hears of dead workers and of nodes.

    ``grows``: the cluster may get more nodes, so what fits nowhere is made known to it.
    """

    def __init__(
        self,
        desk: Desk,
        searcher: StageSearcher,
        board: Any,
        on_nodes: OnNodes,
        *,
        grows: bool,
        silence: Silence,
        health: Health,
    ) -> None:
        self._desk, self._searcher, self._board, self._on_nodes = desk, searcher, board, on_nodes
        self._silence, self._health, self._hung = silence, health, set[str]()
        self._wish = Wish() if grows else None
        self._leaving = Leaving(desk, board, self._count_nodes) if grows else None
        self._steps: dict[str, tuple[int, int]] = {}
        self._looked = self._shown = 0.0
        self._counted = time.monotonic()

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Looks at the board five times a second and shows progress twice; raises what the driver failed with.

        A signal ends the run here, between two events, and so does the death of Ray's head, or of its raylet here.
        """
        self._health.check()
        signals.look(within_s=_EVENT_S)
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            self._searcher.guard(lambda: self._answer(trials))
        self.look_around()
        if self._searcher.error is not None:
            raise self._searcher.error

    def look_around(self) -> None:
        """Shows progress, and looks at what the cluster has and what of it goes; each as often as it is worth."""
        now = time.monotonic()
        if now - self._shown >= _SHOW_EVERY_S:
            self._shown = now
            self._searcher.guard(lambda: self._desk.show(self._steps))
            self._searcher.guard(self._wished)
        if now - self._counted >= _NODES_EVERY_S and self._health.head_answers():
            self._counted = now
            self._searcher.guard(self._count_nodes)
        if self._leaving is not None:
            self._searcher.guard(self._leaving.look)

    def waits(self) -> None:
        """What is seen to while no stage is ready and Tune may come by nowhere else: as at the end of a step."""
        self._searcher.guard(self._health.check)
        signals.look(within_s=_EVENT_S)
        self.look_around()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tells the desk that a process has the stage."""
        stage_id = trial.config["stage_id"]
        self._steps.pop(stage_id, None)
        self._silence.heard(stage_id)
        self._desk.begun(stage_id)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tells the desk that a stage's worker died, or may not be used again."""
        stage_id, told = trial.config["stage_id"], _error_text(trial)
        if stage_id in self._hung:
            self._hung.discard(stage_id)
            told = self._silence.error()
        self._searcher.guard(lambda: self._desk.lost(stage_id, told, died=told.startswith(_DIED)))

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, for the searcher's reason."""
        return {}

    def _count_nodes(self) -> None:
        try:
            nodes = live_nodes()
        except RayError:
            return  # What was counted last holds until the cluster answers again.
        self._on_nodes(nodes)

    def _wished(self) -> None:
        """Keeps the cluster told of what waits for room; what has been found ready may be on a new node."""
        if self._wish is None or self._desk.floor is None or not self._health.head_answers():
            return
        if self._wish.tell(self._desk.floor.waits_for):
            self._count_nodes()

    def _answer(self, trials: list[Any]) -> None:
        try:
            steps, questions = ray.get(self._board.read.remote(), timeout=5.0)
        except RayError:
            return  # The board's process died and is being started again: stages go on unasked.
        self._steps |= steps
        for stage_id in (*steps, *(question.stage_id for question in questions)):
            self._silence.heard(stage_id)
        self._end_hung(trials)
        for question in questions:
            stops = self._desk.stops(question.stage_id, question.step, question.steps, question.evaluation)
            self._board.answer.remote(question.ticket, stops)

    def _end_hung(self, trials: list[Any]) -> None:
        """Kills the processes of stages that say nothing any more; Tune then hears that their trials failed."""
        running = {trial.config["stage_id"]: trial for trial in trials if trial.status == trial.RUNNING}
        for stage_id in self._silence.look(running):
            actor = running[stage_id].temporary_state.ray_actor
            if actor is not None:
                self._hung.add(stage_id)
                ray.kill(actor)


def _error_text(trial: Any) -> str:
    """What the trial failed with; Tune keeps it pickled on the driver, and syncs it away only later."""
    try:
        error = pickle.loads(Path(trial.pickled_error_file).read_bytes())
    except (OSError, TypeError, pickle.UnpicklingError) as unread:
        return f"{_DIED}: it ended, and its error cannot be read ({type(unread).__name__})"
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, StageFailedError):
        return cause.found
    said = str(cause)
    why = next((words for mark, words in _DEATHS.items() if mark in said), f"it ended ({type(cause).__name__})")
    node = _NODE.search(said)
    return f"{_DIED}: {why}{f' (on {node[1]})' if node else ''}"
