"""Board: the small Ray actor through which running stages speak with the driver.

Progress is pinned to it and forgotten; a question (stop after this evaluation?) waits on it until the driver, which
alone knows the plan, has answered; that the run is to end reaches every stage at its next step. A board that is gone,
or a driver that is silent, never stops a stage.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from stilts.training.reporter import Evaluation, Reply

_PROGRESS_EVERY_S = 0.5
# The driver looks at the board several times a second; a driver that says nothing for so long is busy or gone.
_ANSWER_WITHIN_S = 30.0
# How long the end of a run waits for last checkpoints: a step and a write. Cluster managers kill after 30 s.
_CHECKPOINT_S = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A running stage asks whether to go on after the evaluation at ``step``."""

    ticket: int
    stage_id: str
    step: int
    steps: int
    evaluation: Evaluation


class Board:
    """Where each stage is, and which questions are open. Runs as a Ray actor with asynchronous methods."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[int, int]] = {}
        self._open: list[OpenQuestion] = []
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._num_asked = 0
        self._training: set[str] = set()
        self._ended, self._nobody_trains = False, asyncio.Event()
        self._ends: dict[str, asyncio.Event] = {}  # by stage; set once it is to end

    async def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Pins where a stage is."""
        self._steps[stage_id] = (step, steps)
        self._training.add(stage_id)
        self._nobody_trains.clear()

    async def left(self, stage_id: str) -> None:
        """Notes that a stage ended, whatever became of it; whoever waits for its end, waits no more."""
        self._training.discard(stage_id)
        if stage_id in self._ends:
            self._ends.pop(stage_id).set()
        if not self._training:
            self._nobody_trains.set()

    async def ends(self, stage_id: str) -> None:
        """Comes back when the stage, or the run, is to end."""
        if not self._ended:
            await self._ends.setdefault(stage_id, asyncio.Event()).wait()

    async def leave(self, stage_ids: Collection[str]) -> None:
        """Has those of the stages that are at work save a checkpoint and end."""
        for stage_id in self._training & set(stage_ids):
            self._ends.setdefault(stage_id, asyncio.Event()).set()

    async def end(self, stage_ids: Collection[str]) -> None:
        """Has the stages save a checkpoint and end; comes back when those that are in flight and at work have."""
        self._training &= set(stage_ids)
        self._ended = True
        for ends in self._ends.values():
            ends.set()
        if self._training:
            await self._nobody_trains.wait()

    async def ask(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> bool:
        """Whether the stage should stop, once the driver has answered."""
        self._num_asked += 1
        ticket = self._num_asked
        self._steps[stage_id] = (step, steps)
        self._answers[ticket] = asyncio.get_running_loop().create_future()
        self._open.append(OpenQuestion(ticket=ticket, stage_id=stage_id, step=step, steps=steps, evaluation=evaluation))
        return await self._answers[ticket]

    async def read(self) -> tuple[dict[str, tuple[int, int]], list[OpenQuestion]]:
        """The driver's look: steps by stage since the last look, and the questions asked since then."""
        steps, questions = self._steps, self._open
        self._steps, self._open = {}, []
        return steps, questions

    async def answer(self, ticket: int, stop: bool) -> None:
        """The driver's answer to one question."""
        future = self._answers.pop(ticket, None)
        if future is not None and not future.done():
            future.set_result(stop)


def start_board() -> Any:
    """A handle on a new board; Ray starts it again (empty) when its process dies, and it ends with the driver.

    It runs on the driver's node, where there is room: a node that it stayed on could not leave.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    board = ray.remote(Board).options(num_cpus=0, max_restarts=-1, max_concurrency=1000, scheduling_strategy=here)
    return board.remote()


class BoardReporter:
    """A worker's Reporter that speaks through a board; at most two words of progress per second and stage."""

    def __init__(self, board: Any) -> None:
        self._board = board
        self._last: tuple[str, float] = ("", 0.0)
        self._asked: tuple[str, Any] = ("", None)

    def progress(self, stage_id: str, step: int, steps: int) -> None:
        """Pins the step and does not wait; raises KeyboardInterrupt once the stage, or the run, is to end."""
        now = time.monotonic()
        if self._last[0] == stage_id and now - self._last[1] < _PROGRESS_EVERY_S:
            return
        self._last = (stage_id, now)
        try:
            self._board.progress.remote(stage_id, step, steps)
            ends = self._is_to_end(stage_id)
        except RayError:
            self._asked = ("", None)  # Nobody watches: the stage goes on.
        else:
            if ends:
                raise KeyboardInterrupt

    def left(self, stage_id: str) -> None:
        """Says that the stage ended."""
        self._asked = ("", None)
        with contextlib.suppress(RayError):
            self._board.left.remote(stage_id)

    def evaluated(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> Reply:
        """What the driver answers; CONTINUE where none comes in time."""
        try:
            stop = ray.get(self._board.ask.remote(stage_id, step, steps, evaluation), timeout=_ANSWER_WITHIN_S)
        except RayError:
            return Reply.CONTINUE
        return Reply.STOP if stop else Reply.CONTINUE

    def _is_to_end(self, stage_id: str) -> bool:
        """Whether the board has said so: a stage asks once, and the answer comes by itself."""
        if self._asked[0] != stage_id:
            self._asked = (stage_id, self._board.ends.remote(stage_id))
        ready, _ = ray.wait([self._asked[1]], timeout=0)
        if ready:
            ray.get(self._asked[1])  # RayError where the board died
        return bool(ready)


def end_stages(board: Any, stage_ids: Collection[str]) -> None:
    """Lets the training among the stages save a last checkpoint, and waits for that, but not for ever."""
    with contextlib.suppress(RayError):
        ray.get(board.end.remote(list(stage_ids)), timeout=_CHECKPOINT_S)
