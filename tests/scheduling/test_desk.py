"""The desk decides what is run again; the sequential runner is the desk without Ray."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import DataError, DivergedError, InputError, LeaseHeldError, StageFailedError, StoreUnavailableError
from stilts.scheduling import desk as desk_module
from stilts.scheduling.attempt import attempt
from stilts.scheduling.desk import MAX_DEATHS, MAX_RETRIES, Desk
from stilts.scheduling.events import Event, Happening, RunReport, Snapshot, StageEvent
from stilts.scheduling.sequential import run_sequentially
from stilts.search.work_source import NoStage
from stilts.training.reporter import Evaluation
from stilts.training.run_config import RunConfig
from tests.scheduling.fakes import FakeExecutor, FakeOutcome, FakeSource, FakeStage, attempts
from tests.training.recording_reporter import RecordingReporter


def outcome(stage_id: str, state: str = "done", **more: Any) -> dict[str, Any]:
    base = {"executed": True, "seconds": 1.0, "error": "an error", "may_pass": False, "spoiled": False}
    return {**base, "stage_id": stage_id, "state": state, **more}


def test_stages_in_flight_are_capped_and_a_parent_is_waited_for() -> None:
    desk = Desk(FakeSource(stages=[FakeStage("a"), FakeStage("b", "a"), FakeStage("c")]), max_concurrent=1)
    assert desk.next_stage() == FakeStage("a")
    assert desk.next_stage() is NoStage.WAIT
    desk.settle(outcome("a"))
    assert desk.next_stage() == FakeStage("b", "a")
    desk.settle(outcome("b"))
    assert desk.next_stage() == FakeStage("c")
    assert desk.next_stage() is NoStage.WAIT, "a stage in flight may still give others work"
    desk.settle(outcome("c", executed=False))
    assert desk.next_stage() is NoStage.FINISHED
    assert desk.report().executed == 2


def test_a_busy_stage_comes_back_after_a_while_and_others_go_first() -> None:
    now = [0.0]
    source = FakeSource(stages=[FakeStage("a"), FakeStage("b")])
    desk = Desk(source, clock=lambda: now[0])
    desk.next_stage()
    desk.settle(outcome("a", "busy"))
    assert desk.next_stage() == FakeStage("b")
    assert desk.next_stage() is NoStage.WAIT
    now[0] = desk_module.BUSY_WAIT_S
    assert desk.next_stage() == FakeStage("a")
    assert source.errors == [], "the source keeps a busy stage as running"


@pytest.mark.parametrize(
    ("stage_id", "clocks", "told"),
    [
        ("train-mnli-0a1b", "", "job big-20261130 trains it"),
        ("evaluate-xnli-0a1b", "The clocks of a and b differ by 2 h", "job big-20261130 evaluates it. The clocks of a"),
    ],
)
def test_another_jobs_work_reads_as_that(stage_id: str, clocks: str, told: str) -> None:
    def execute(stage: FakeStage, reporter: object) -> FakeOutcome:
        raise LeaseHeldError("lease", "job big-20261130 holds it", holder="job big-20261130", clocks=clocks)

    events: list[Event] = []
    desk = Desk(FakeSource(stages=[FakeStage(stage_id)]), events.append)
    desk.next_stage()
    desk.settle(attempt(execute, FakeStage(stage_id), RecordingReporter()))  # type: ignore[arg-type]
    [waits] = [one for one in events if isinstance(one, StageEvent) and one.happening is Happening.WAITING]
    assert waits.message.startswith(told) and "LeaseHeldError" not in waits.message


@pytest.mark.parametrize("may_pass", [True, False])
def test_what_may_pass_is_tried_a_few_times(may_pass: bool) -> None:
    source = FakeSource(stages=[FakeStage("a"), FakeStage("b", "a")])
    events: list[Event] = []
    desk = Desk(source, events.append)
    tries = 0
    while isinstance(stage := desk.next_stage(), FakeStage):
        tries += 1
        desk.settle(outcome(stage.stage_id, "failed", may_pass=may_pass))
    assert stage is NoStage.FINISHED
    assert tries == (1 + MAX_RETRIES if may_pass else 1)
    assert [will_retry for _, _, will_retry in source.errors] == [True] * (tries - 1) + [False]
    assert desk.report().failed == {"a": "an error"}
    told = [event.happening for event in events if isinstance(event, StageEvent)]
    assert told.count(Happening.RETRIED) == tries - 1 and told.count(Happening.FAILED) == 1


@pytest.mark.parametrize(("died", "most"), [(False, MAX_RETRIES), (True, MAX_DEATHS)])
def test_only_tries_without_a_further_step_are_counted(died: bool, most: int) -> None:
    desk = Desk(FakeSource(stages=[FakeStage("a")]))

    def lost_at(step: int) -> None:
        assert desk.next_stage() == FakeStage("a"), "it was given up"
        desk.show({"a": (step, 100)})
        desk.lost("a", "WorkerDied: on a node that comes and goes", died=died)

    for step in range(10, 90, 5):
        lost_at(step)
    for _ in range(most):
        lost_at(85)
    assert desk.next_stage() is NoStage.FINISHED and set(desk.report().failed) == {"a"}


def test_a_late_question_about_a_stage_that_ended_never_stops_anything() -> None:
    source = FakeSource(stages=[FakeStage("a")], stop_at={"a": 0})
    desk = Desk(source)
    assert not desk.stops("a", 1, 4, Evaluation(scores={"xnli": 1.0}))
    desk.next_stage()
    assert desk.stops("a", 1, 4, Evaluation(scores={"xnli": 1.0}))


def run(source: FakeSource, folder: Path, **more: Any) -> RunReport:
    return run_sequentially(
        source,
        store=more.pop("store", None),
        configured=lambda held: RunConfig(),
        execute=FakeExecutor(folder=str(folder)),
        **more,
    )


def test_sequentially_everything_runs_and_failures_stay_with_their_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "BUSY_WAIT_S", 0.3)
    names = ["train-a", "broken-b", "flaky-c", "leased-d", "found-e"]
    source = FakeSource(stages=[*map(FakeStage, names), FakeStage("evaluate-b", "broken-b")])
    events: list[Event] = []
    reporter = RecordingReporter()
    report = run(source, tmp_path, on_event=events.append, reporter=reporter)
    assert set(report.done) == {"train-a", "flaky-c", "leased-d", "found-e"} and set(report.failed) == {"broken-b"}
    assert len(attempts(tmp_path, "leased-d")) == 2 and len(attempts(tmp_path, "flaky-c")) == 2
    assert ("train-a", 4, 4) in reporter.steps_seen
    assert any(isinstance(event, Snapshot) for event in events)


def test_sequentially_the_source_or_the_reporter_may_stop_a_stage(tmp_path: Path) -> None:
    judged = [FakeStage("judged-a"), FakeStage("judged-b")]
    assert run(FakeSource(stages=judged, stop_at={"judged-a": 2}), tmp_path).pruned == ("judged-a",)
    assert run(FakeSource(stages=judged), tmp_path, reporter=RecordingReporter(stop_at=3)).pruned == (
        "judged-a",
        "judged-b",
    )


def test_sequentially_an_interrupt_is_reported_and_the_sources_error_raised(tmp_path: Path) -> None:
    def interrupted(stage: FakeStage, reporter: object) -> FakeOutcome:
        raise KeyboardInterrupt

    events: list[Event] = []
    stages = [FakeStage("a"), FakeStage("b")]
    report = run_sequentially(
        FakeSource(stages=stages),
        store=None,
        configured=lambda held: RunConfig(),
        execute=interrupted,
        on_event=events.append,
    )  # type: ignore[arg-type]
    assert report.interrupted and report.done == ()
    last = events[-1]
    assert isinstance(last, StageEvent) and "Run the same command again" in last.message
    with pytest.raises(InputError, match="cannot grow"):
        run(FakeSource(stages=stages, raise_on_finish=True), tmp_path)


def test_sequentially_no_stage_follows_an_error_of_cuda(tmp_path: Path) -> None:
    begun: list[str] = []

    def spoiled(stage: FakeStage, reporter: object) -> FakeOutcome:
        begun.append(stage.stage_id)
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(StageFailedError, match=r"device-side assert.*run the study again"):
        run_sequentially(
            FakeSource(stages=[FakeStage("a"), FakeStage("b")]),
            store=None,
            configured=lambda held: RunConfig(),
            execute=spoiled,
        )  # type: ignore[arg-type]
    assert begun == ["a"], "neither tried again nor followed in a process that is of no more use"


def test_what_another_driver_did_meanwhile_has_not_failed() -> None:
    events: list[Event] = []
    desk = Desk(FakeSource(stages=[FakeStage("a")], elsewhere=frozenset({"a"})), events.append)
    desk.next_stage()
    desk.settle(outcome("a", "failed", error="StoreError: files of a: they were dropped"))
    assert desk.report().failed == {} and desk.next_stage() is NoStage.FINISHED
    assert Happening.FAILED not in [event.happening for event in events if isinstance(event, StageEvent)]


@pytest.mark.parametrize("unrecorded", [True, False])
def test_a_full_disk_ends_the_run_and_the_first_error_is_the_one_told(unrecorded: bool) -> None:
    class FullStore(FakeSource):
        def failed(self, stage_id: str, error: str, *, will_retry: bool) -> bool:
            missed = super().failed(stage_id, error, will_retry=will_retry)
            if unrecorded:
                raise StoreUnavailableError("store s", "it cannot be written either")
            return missed

    source = FullStore(stages=[FakeStage("a"), FakeStage("b")])
    events: list[Event] = []
    desk = Desk(source, events.append)
    desk.next_stage()
    with pytest.raises(StageFailedError, match=r"No space left on device: '/scratch/x'.*the run ends here"):
        desk.settle(outcome("a", "failed", error="OSError: No space left on device: '/scratch/x'", ends_run=True))
    assert source.errors and source.errors[0][2] is False
    assert [event.happening for event in events if isinstance(event, StageEvent)][-1] is Happening.FAILED


def test_a_store_that_does_not_answer_is_given_time_before_the_run_ends() -> None:
    now = [0.0]
    desk = Desk(FakeSource(stages=[FakeStage("a")]), clock=lambda: now[0])
    for _ in range(MAX_RETRIES):
        assert desk.next_stage() == FakeStage("a")
        desk.settle(outcome("a", "failed", may_pass=True, ends_run=True))
        assert desk.next_stage() is NoStage.WAIT, "no tight loop"
        now[0] += desk_module.STORE_WAIT_S
    desk.next_stage()
    with pytest.raises(StageFailedError):
        desk.settle(outcome("a", "failed", may_pass=True, ends_run=True))
    assert desk.report().failed == {"a": "an error"}


@pytest.mark.parametrize(
    ("error", "may_pass", "ends_run"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/scratch/x"), False, True),
        (OSError(errno.EROFS, "Read-only file system", "/scratch/x"), False, True),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), False, False),
        (OSError("the network is away"), True, False),
        (StoreUnavailableError("store s3://b", "it does not answer"), True, True),
        (ValueError("wrong"), False, False),
        (type("PanicException", (BaseException,), {})("a panic of a Rust package"), False, False),
    ],
)
def test_an_attempt_judges_what_another_one_would_meet(error: BaseException, may_pass: bool, ends_run: bool) -> None:
    def execute(stage: FakeStage, reporter: object) -> FakeOutcome:
        raise error

    found = attempt(execute, FakeStage("a"), RecordingReporter())  # type: ignore[arg-type]
    assert (found["state"], found["may_pass"], found["ends_run"]) == ("failed", may_pass, ends_run)


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("can't start new thread"), True),
        (MemoryError(), True),
        (ConnectionResetError("reset by peer"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (8x64 and 96x3)"), False),
        (RuntimeError("expected scalar type Float but found Half"), False),
        (FileNotFoundError(2, "No such file", "a"), False),
        (PermissionError(13, "Permission denied", "a"), False),
        (DataError("train.tsv", "the line is empty", line=3), False),
        (DivergedError("training", "the loss is nan", "", ""), False),
        (KeyError("a bug of ours"), False),
    ],
)
def test_only_what_may_go_away_is_tried_again(error: BaseException, may_pass: bool) -> None:
    def execute(stage: FakeStage, reporter: object) -> FakeOutcome:
        raise error

    assert attempt(execute, FakeStage("a"), RecordingReporter())["may_pass"] is may_pass  # type: ignore[arg-type]
