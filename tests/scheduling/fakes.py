"""A WorkSource over a fixed list of stages, and executors that workers can import."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import ray

from stilts.errors import InputError, LeaseHeldError
from stilts.fingerprint import Json
from stilts.search.work_source import Fits, Measured, NoStage, Progress, anything
from stilts.study.slots import Resources
from stilts.training.reporter import Evaluation, Reply, Reporter


@dataclass(frozen=True)
class FakeStage:
    """As much of a stage as scheduling looks at."""

    stage_id: str
    parent: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FakeOutcome:
    """As much of run_stage's outcome as scheduling looks at."""

    state: str = "done"
    executed: bool = True
    seconds: float = 0.0


@dataclass
class FakeSource:
    """Stages in order, each after its parent; records what it hears."""

    stages: list[FakeStage]
    stop_at: Mapping[str, int] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, str, bool]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    raise_on_finish: bool = False
    elsewhere: frozenset[str] = frozenset()

    @property
    def classes(self) -> list[Resources]:
        return list(dict.fromkeys(map(self.resources, self.stages)))

    def next_stage(self, fits: Fits = anything) -> FakeStage | NoStage:
        waiting = [stage for stage in self.stages if stage.stage_id not in self.given]
        lost = {stage_id for stage_id, state in self.ended.items() if state == "failed"}
        waiting = [stage for stage in waiting if stage.parent not in lost]
        for stage in waiting:
            is_ready = stage.parent is None or self.ended.get(stage.parent) == "done"
            if is_ready and fits(self.resources(stage)):
                self.given.append(stage.stage_id)
                return stage
        return NoStage.WAIT if waiting else NoStage.FINISHED

    def finished(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        if self.raise_on_finish:
            raise InputError("the plan", "it cannot grow")
        assert stage_id not in self.ended
        self.ended[stage_id] = str(outcome["state"])

    def failed(self, stage_id: str, error: str, *, will_retry: bool) -> bool:
        self.errors.append((stage_id, error, will_retry))
        if not will_retry:
            self.ended[stage_id] = "failed"
        return stage_id not in self.elsewhere

    def resources(self, stage: FakeStage) -> Resources:
        return Resources(cpus=stage.cpus, gpus=stage.gpus)

    def stops(self, stage_id: str, step: int, steps: int, evaluation: Evaluation) -> bool:
        self.asked.append((stage_id, step))
        return step >= self.stop_at.get(stage_id, 10**9)

    def progress(self, running: Mapping[str, Measured] | None = None) -> Progress:
        failed = sum(state == "failed" for state in self.ended.values())
        running = len(self.given) - len(self.ended)
        return Progress(
            total=len(self.stages), done=len(self.ended) - failed, running=running, failed=failed, seconds_left=1.0
        )


@dataclass(frozen=True, kw_only=True)
class FakeExecutor:
    """Does what the stage's name says; attempts are counted in files of ``folder``."""

    folder: str
    seconds: float = 0.0
    held: Resources | None = None

    def holding(self, held: Resources) -> FakeExecutor:
        return replace(self, held=held)

    def __call__(self, stage: FakeStage, reporter: Reporter) -> FakeOutcome:
        attempt = self._count(stage.stage_id)
        kind = stage.stage_id.split("-")[0]
        if kind == "broken":
            raise InputError(f'stage "{stage.stage_id}"', "its data are malformed", "It cannot be trained")
        if kind == "flaky" and attempt < 2:
            raise OSError("the network is away")
        if kind == "cuda":
            raise RuntimeError("CUDA error: device-side assert triggered")
        if kind == "leased" and attempt < 2:
            raise LeaseHeldError(f'stage "{stage.stage_id}"', "another process holds its lease")
        if kind == "killed" and attempt < 2:
            os.kill(os.getpid(), 9)
        if kind == "hung" and attempt < 2:
            reporter.progress(stage.stage_id, 1, 4)
            os.kill(os.getpid(), 19)  # SIGSTOP: not even its other threads do anything
        if kind == "dying":
            threading.Timer(0.3, os.kill, (os.getpid(), 9)).start()
            return FakeOutcome()
        return self._steps(stage, reporter)

    def _steps(self, stage: FakeStage, reporter: Reporter) -> FakeOutcome:
        for step in range(1, 5):
            time.sleep(self.seconds / 4)
            reporter.progress(stage.stage_id, step, 4)
            if stage.stage_id.startswith("judged"):
                decision = reporter.evaluated(stage.stage_id, step, 4, Evaluation(scores={"xnli": 10.0 * step}))
                if decision is Reply.STOP:
                    return FakeOutcome(state="pruned", seconds=self.seconds)
        return FakeOutcome(executed=not stage.stage_id.startswith("found"), seconds=self.seconds)

    def _count(self, stage_id: str) -> int:
        path = Path(self.folder) / stage_id
        with path.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        return len(path.read_text().splitlines())


def attempts(folder: Path, stage_id: str) -> list[int]:
    """The process ids of a stage's attempts."""
    return [int(line) for line in (folder / stage_id).read_text().splitlines()]


@dataclass(frozen=True, kw_only=True)
class EnvironmentExecutor:
    """Writes what its process has of the variables ``names`` to the file ``seen`` of ``folder``, a line for each."""

    folder: str
    names: tuple[str, ...]
    store_url: str = ""

    def holding(self, held: Resources) -> EnvironmentExecutor:
        return self

    def __call__(self, stage: FakeStage, reporter: Reporter) -> FakeOutcome:
        (Path(self.folder) / "seen").write_text("".join(f"{os.environ.get(name)}\n" for name in self.names))
        return FakeOutcome()


@dataclass(frozen=True, kw_only=True)
class ProbingExecutor:
    """Writes to a file of ``folder`` what Ray gave the stage's process, and from when to when it had it."""

    folder: str
    seconds: float = 0.0

    def holding(self, held: Resources) -> ProbingExecutor:
        return self

    def __call__(self, stage: FakeStage, reporter: Reporter) -> FakeOutcome:
        start = time.time()
        time.sleep(self.seconds)
        given = ray.get_runtime_context().get_assigned_resources()
        told = {
            "stage_id": stage.stage_id,
            "cpus": given.get("CPU", 0.0),
            "gpus": given.get("GPU", 0.0),
            "visible": [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu],
            "pid": os.getpid(),
            "start": start,
            "end": time.time(),
        }
        with (Path(self.folder) / stage.stage_id).open("a") as stream:
            stream.write(json.dumps(told) + "\n")
        return FakeOutcome(seconds=self.seconds)


@dataclass(frozen=True, kw_only=True)
class SteppingExecutor:
    """A training that writes each step to a file of ``folder`` at once, and goes on from there: its checkpoint.

    The file has a line for each try: the node, and the steps that it made.
    """

    folder: str
    steps: int
    seconds: float = 0.2

    def holding(self, held: Resources) -> SteppingExecutor:
        return self

    def __call__(self, stage: FakeStage, reporter: Reporter) -> FakeOutcome:
        path = Path(self.folder) / stage.stage_id
        before = path.read_text().splitlines() if path.exists() else []
        done = sum(json.loads(line)["steps"] for line in before)
        node = ray.get_runtime_context().get_node_id()
        for step in range(1, self.steps - done + 1):
            time.sleep(self.seconds)
            written = path.with_suffix(".new")
            written.write_text("\n".join([*before, json.dumps({"node": node, "steps": step})]) + "\n")
            written.replace(path)
            reporter.progress(stage.stage_id, done + step, self.steps)
        return FakeOutcome(seconds=self.seconds)
