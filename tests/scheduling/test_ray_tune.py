"""Stages as Ray Tune trials: warm workers, placement, verdicts, dead workers. One Ray for the module."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from stilts.errors import InputError
from stilts.scheduling import searcher
from stilts.scheduling.board import BoardReporter, end_stages, start_board
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.events import Event, Happening, RunReport, Snapshot, StageEvent
from stilts.scheduling.runner import run_stages
from stilts.study.slots import Node
from stilts.training.reporter import Evaluation, Reply
from tests.scheduling.fakes import FakeExecutor, FakeSource, FakeStage, attempts


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with ray_cluster(RaySettings(address="local", num_cpus=2, num_gpus=0)):
        yield


def run(
    source: FakeSource,
    folder: Path,
    events: list[Event] | None = None,
    *,
    seconds: float = 0.0,
    settings: RaySettings | None = None,
) -> RunReport:
    return run_stages(
        source,
        settings=settings,
        on_event=(events if events is not None else []).append,
        execute=FakeExecutor(folder=str(folder), seconds=seconds),
    )


def test_a_chain_with_a_broken_branch_runs_to_its_end(tmp_path: Path) -> None:
    source = FakeSource(
        stages=[
            FakeStage("train-a"),
            FakeStage("broken-b"),
            FakeStage("evaluate-a", "train-a"),
            FakeStage("evaluate-b", "broken-b"),
            FakeStage("found-c"),
        ]
    )
    events: list[Event] = []
    report = run(source, tmp_path, events, seconds=0.6)
    assert set(report.done) == {"train-a", "evaluate-a", "found-c"} and report.executed == 2
    assert "InputError" in report.failed["broken-b"] and "malformed" in report.failed["broken-b"]
    assert source.errors == [("broken-b", report.failed["broken-b"], False)]
    assert not (tmp_path / "evaluate-b").exists()
    assert source.given.index("train-a") < source.given.index("evaluate-a")
    shown = [event for event in events if isinstance(event, Snapshot)]
    assert any(one.steps == 4 for snapshot in shown for one in snapshot.running)
    assert {e.happening for e in events if isinstance(e, StageEvent)} == {
        Happening.STARTED,
        Happening.DONE,
        Happening.FAILED,
    }


def test_workers_stay_warm_and_trials_cost_little(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage(f"stage-{index}") for index in range(20)])
    started = time.monotonic()
    report = run(source, tmp_path)
    assert len(report.done) == 20
    assert len({pid for index in range(20) for pid in attempts(tmp_path, f"stage-{index}")}) <= 3
    assert time.monotonic() - started < 30


def test_nodes_are_told_before_the_first_stage_and_while_a_run_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher, "_NODES_EVERY_S", 0.0)
    source, told = FakeSource(stages=[FakeStage("stage-a")]), list[tuple[int, Sequence[Node]]]()
    run_stages(
        source,
        on_nodes=lambda nodes: told.append((len(source.given), nodes)),
        execute=FakeExecutor(folder=str(tmp_path)),
    )
    assert told[0] == (0, (Node(cpus=2.0),)) and told[-1] == (1, (Node(cpus=2.0),))


def test_the_sources_verdict_stops_a_stage(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage("judged-bad"), FakeStage("judged-good")], stop_at={"judged-bad": 2})
    report = run(source, tmp_path, seconds=0.4)
    assert report.pruned == ("judged-bad",) and report.done == ("judged-good",)
    assert source.asked.count(("judged-bad", 2)) == 1 and ("judged-bad", 3) not in source.asked
    assert ("judged-good", 4) in source.asked


def test_a_killed_worker_starts_its_stage_again(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage("killed-a"), FakeStage("stage-b"), FakeStage("stage-c", "killed-a")])
    report = run(source, tmp_path)
    assert set(report.done) == {"killed-a", "stage-b", "stage-c"}
    assert len(set(attempts(tmp_path, "killed-a"))) == 2
    [(stage_id, error, will_retry)] = source.errors
    assert stage_id == "killed-a" and will_retry and error.startswith("WorkerDied")


def test_a_worker_that_dies_between_two_stages_costs_a_retry_at_most(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage("dying-a"), FakeStage("stage-b"), FakeStage("stage-c", "stage-b")])
    report = run(source, tmp_path, seconds=1.2)
    assert set(report.done) == {"dying-a", "stage-b", "stage-c"}
    assert all(will_retry for _, _, will_retry in source.errors)


def test_a_stage_that_hangs_is_ended_and_starts_again(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage("hung-a"), FakeStage("stage-b"), FakeStage("stage-c", "hung-a")])
    report = run(source, tmp_path, settings=RaySettings(silent_s=8.0))
    assert set(report.done) == {"hung-a", "stage-b", "stage-c"}
    first, second = attempts(tmp_path, "hung-a")
    assert first != second
    _, alive = psutil.wait_procs([psutil.Process(first)] if psutil.pid_exists(first) else [], timeout=40)
    assert not alive
    [(stage_id, error, will_retry)] = source.errors
    assert stage_id == "hung-a" and will_retry and error.startswith("StageHungError: it took no step for 8 s")


def test_what_may_pass_is_tried_again_and_then_given_up(tmp_path: Path) -> None:
    names = ["cuda-b", "flaky-c", "leased-d", "stage-e"]
    source = FakeSource(stages=[FakeStage(name) for name in names])
    report = run(source, tmp_path)
    assert set(report.done) == {"flaky-c", "leased-d", "stage-e"}
    assert set(report.failed) == {"cuda-b"}
    assert report.failed["cuda-b"] == "RuntimeError: CUDA error: device-side assert triggered"
    assert len(set(attempts(tmp_path, "cuda-b"))) == 3, "a spoiled process must not be used again"
    assert [retry for name, _, retry in source.errors if name == "cuda-b"] == [True, True, False]


def test_the_drivers_own_error_is_raised_as_it_is(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage("stage-a"), FakeStage("stage-b")], raise_on_finish=True)
    with pytest.raises(InputError, match="it cannot grow"):
        run(source, tmp_path)


def test_nothing_to_do_is_quick_and_loggers_are_left_as_they_were(tmp_path: Path) -> None:
    level = logging.getLogger("ray.tune").level
    assert run(FakeSource(stages=[]), tmp_path).done == ()
    assert logging.getLogger("ray.tune").level == level
    assert ray.is_initialized(), "a connection that was there before stays"


# Python leaves SIGINT ignored where it was started so, as a background job of a shell is.
DRIVER = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {root!r})
from stilts.scheduling import signals
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import FakeExecutor, FakeSource, FakeStage

signal.signal(signal.SIGHUP, signal.SIG_DFL)
with signals.handled():
    report = run_stages(
        FakeSource(stages=[FakeStage("slow-a"), FakeStage("slow-b")]),
        settings=RaySettings(address="local", num_cpus=1),
        on_event=print,
        execute=FakeExecutor(folder={folder!r}, seconds=600),
    )
    print("interrupted:", report.interrupted, report.done, signal.Signals(signals.received()).name)
    signals.leave(0)
"""


def start_driver(folder: Path) -> subprocess.Popen[str]:
    """A process that drives two endless stages on a cluster of its own, once the first of them runs."""
    script = DRIVER.format(root=str(Path(__file__).parents[2]), folder=str(folder))
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    driver = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    deadline = time.monotonic() + 120
    while not (folder / "slow-a").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return driver


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    driver = start_driver(tmp_path)
    driver.send_signal(number)
    started = time.monotonic()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 0 and time.monotonic() - started < 30
    assert "interrupted: True ()" in output and "Run the same command again" in output
    assert number.name in output
    [worker] = attempts(tmp_path, "slow-a")
    assert not Path(f"/proc/{worker}").exists()


@pytest.mark.slow
def test_two_hundred_stages_cost_under_four_tenths_of_a_second_each(tmp_path: Path) -> None:
    source = FakeSource(stages=[FakeStage(f"stage-{index}") for index in range(200)])
    report = run(source, tmp_path)
    assert len(report.done) == 200
    print(f"seconds per stage: {report.seconds / 200:.3f}")
    assert report.seconds / 200 < 0.4


def steps_on(board: Any) -> dict[str, tuple[int, int]]:
    """What is pinned to the board, once something is."""
    deadline = time.monotonic() + 20
    while not (steps := ray.get(board.read.remote())[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return steps


def test_a_board_that_dies_stops_nothing(tmp_path: Path) -> None:
    board = start_board()
    reporter = BoardReporter(board)
    reporter.progress("stage-a", 1, 4)
    assert steps_on(board) == {"stage-a": (1, 4)}
    ray.kill(board)
    started = time.monotonic()
    reporter.progress("stage-b", 1, 4)
    assert reporter.evaluated("stage-b", 1, 4, Evaluation(scores={"xnli": 1.0})) is Reply.CONTINUE
    assert time.monotonic() - started < 5


def test_progress_is_said_twice_a_second_at_most() -> None:
    board = start_board()
    reporter = BoardReporter(board)
    started = time.monotonic()
    for step in range(2000):
        reporter.progress("stage-a", step, 2000)
    assert time.monotonic() - started < 0.4
    assert steps_on(board) == {"stage-a": (0, 2000)}


class Asked:
    """A worker's reporter, in this process: what it says and hears."""

    def __init__(self, board: Any) -> None:
        self.reporter = BoardReporter(board)

    def until_interrupted(self, stage_id: str) -> int:
        """The step at which the run's end was heard, at one step every 0.1 s."""
        for step in range(1, 200):
            try:
                self.reporter.progress(stage_id, step, 200)
            except KeyboardInterrupt:
                return step
            time.sleep(0.1)
        return 200


def test_training_hears_of_the_end_at_its_next_step_and_is_waited_for() -> None:
    board = start_board()
    worker = Asked(board)
    worker.reporter.progress("stage-a", 1, 200)
    assert steps_on(board)
    ended = board.end.remote(["stage-a", "never-began"])
    assert worker.until_interrupted("stage-a") < 50
    assert not ray.wait([ended], timeout=0.3)[0], "its checkpoint is still being written"
    worker.reporter.left("stage-a")
    ray.get(ended, timeout=10)


def test_the_end_does_not_wait_for_what_is_not_in_flight() -> None:
    board = start_board()
    BoardReporter(board).progress("lost", 1, 200)
    assert steps_on(board)
    started = time.monotonic()
    end_stages(board, ["other"])
    assert time.monotonic() - started < 5


@pytest.mark.slow
def test_a_raylet_that_dies_is_one_message(tmp_path: Path) -> None:
    driver = start_driver(tmp_path)
    [raylet] = [child for child in psutil.Process(driver.pid).children() if child.name() == "raylet"]
    raylet.kill()
    output, _ = driver.communicate(timeout=60)
    assert driver.returncode == 1
    assert "ClusterError: Ray: its process on this machine (raylet) died" in output
    assert "state-dump" not in output


@pytest.mark.slow
def test_a_head_that_dies_is_one_message_before_ray_ends_the_process(tmp_path: Path) -> None:
    driver = start_driver(tmp_path)
    [head] = [child for child in psutil.Process(driver.pid).children() if child.name() == "gcs_server"]
    head.kill()
    output, _ = driver.communicate(timeout=90)
    assert driver.returncode == 1
    assert "has not answered for 30 s: it was killed" in output and "Start the cluster again" in output
    assert "Failed to connect to GCS" not in output and "program will terminate" not in output


@pytest.mark.slow
def test_a_killed_driver_leaves_no_process_behind(tmp_path: Path) -> None:
    driver = start_driver(tmp_path)
    driver.kill()
    driver.communicate(timeout=60)
    [worker] = attempts(tmp_path, "slow-a")
    deadline = time.monotonic() + 60
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not Path(f"/proc/{worker}").exists()
