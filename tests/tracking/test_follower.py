"""A study is followed by a process of its own, which MLflow may stop, break or delay without the run noticing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from stilts.errors import StiltsError
from stilts.store import make_store
from stilts.tracking.background import BackgroundTracker
from stilts.tracking.follower import SyncProcess, follow, serve
from tests.tracking.fake_store import Shape, filled, publish_all
from tests.tracking.mlflow_contents import runs_of


@pytest.fixture
def followed(tmp_path: Path, uri: str) -> Iterator[SyncProcess]:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    store = publish_all(fake, record, tmp_path / "store")
    process = SyncProcess(store_url=store.url, study=record.name, tracking_uri=uri, folder=tmp_path)
    yield process
    process.stop()


def pid_of(process: SyncProcess) -> int:
    assert process._process is not None
    return process._process.pid


def test_each_request_is_answered_once_and_errors_keep_their_four_parts() -> None:
    calls = iter([None, StiltsError("MLflow", "it is away", "It shows", "Wait")])

    def sync(*, running: bool) -> None:
        if (error := next(calls)) is not None:
            raise error

    answers = StringIO()
    serve(StringIO("sync\nend\n"), answers, sync)
    said = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert said == [{}, {"error": ["MLflow", "it is away", "It shows", "Wait"]}]


@pytest.mark.parametrize(
    ("said", "told"),
    [("sync\nsync\nend\n", [True, True, False]), ("sync\n", [True, False]), ("end\n", [False]), ("", [])],
)
def test_a_study_whose_run_was_killed_is_ended_by_who_follows_it(said: str, told: list[bool]) -> None:
    seen: list[bool] = []
    answers = StringIO()
    serve(StringIO(said), answers, lambda *, running: seen.append(running))
    assert seen == told
    assert len(answers.getvalue().splitlines()) == len(said.splitlines())


def test_addresses_stand_on_no_command_line(followed: SyncProcess, uri: str) -> None:
    followed()
    words = Path(f"/proc/{pid_of(followed)}/cmdline").read_bytes()
    assert uri.encode() not in words and b"/store" not in words
    assert words.split(b"\0")[1:] == [b"-m", b"stilts.tracking.follower", b""]


def test_the_log_of_a_process_that_broke_names_no_secret(tmp_path: Path) -> None:
    code = "from stilts.tracking import follower; follower._sync_of = None; follower.main()"
    store = make_store(str(tmp_path / "store"))
    subject = json.dumps([store.url, "little", "postgresql://me:s3cret@h/db"])
    code = code.replace("= None", "= lambda *all: (_ for _ in ()).throw(RuntimeError(' '.join(map(str, all))))")
    ended = subprocess.run([sys.executable, "-c", code], input=subject, text=True, check=False, capture_output=True)
    assert ended.returncode == 1 and "postgresql://***@h/db" in ended.stderr and "s3cret" not in ended.stderr


def test_the_process_syncs_and_is_started_again_when_it_was_killed(followed: SyncProcess, uri: str) -> None:
    followed()
    assert len(runs_of(uri)) == 2
    first = pid_of(followed)
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    followed()
    assert pid_of(followed) != first


def test_ctrl_c_and_low_priority_are_its_own(followed: SyncProcess) -> None:
    followed()
    assert os.getpgid(pid_of(followed)) != os.getpgid(0)
    assert os.getpriority(os.PRIO_PROCESS, pid_of(followed)) == 19


def test_it_ends_when_the_run_is_gone(tmp_path: Path, uri: str) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    store = publish_all(fake, record, tmp_path / "store")
    words = [sys.executable, "-m", "stilts.tracking.follower"]
    for said in ("", json.dumps([store.url, record.name, uri]) + "\n"):
        ended = subprocess.run(words, input=said, text=True, timeout=60, check=False, capture_output=True)
        assert (ended.returncode, ended.stdout) == (0, "")


def test_a_killed_run_leaves_no_run_running(tmp_path: Path, uri: str) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    fake.results = {key: value for key, value in fake.results.items() if "report" not in key}
    store = publish_all(fake, record, tmp_path / "store")
    subject = json.dumps([store.url, record.name, uri])
    words = [sys.executable, "-m", "stilts.tracking.follower"]
    ended = subprocess.run(words, input=f"{subject}\nsync\n", text=True, timeout=90, check=False, capture_output=True)
    assert (ended.returncode, ended.stdout) == (0, "{}\n"), "one answer, and one last sync that nobody asked for"
    assert {run.info.status for run in runs_of(uri)} == {"KILLED"}


def test_a_study_that_the_store_does_not_know_is_an_error_and_not_a_hang(tmp_path: Path, uri: str) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    store = publish_all(fake, record, tmp_path / "store")
    process = SyncProcess(store_url=store.url, study="unknown", tracking_uri=uri, folder=tmp_path)
    with pytest.raises(StiltsError, match="it was never run there"):
        process()
    process.stop(10)
    with pytest.raises(StiltsError, match="stopped"):
        process()


def test_a_stopped_process_holds_up_neither_notices_nor_the_end(tmp_path: Path, uri: str) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    store = publish_all(fake, record, tmp_path / "store")
    process = SyncProcess(store_url=store.url, study=record.name, tracking_uri=uri, folder=tmp_path)
    process()
    os.kill(pid_of(process), signal.SIGSTOP)
    tracker = BackgroundTracker(process, folder=tmp_path, every_s=0, stop=process.stop)
    started = time.monotonic()
    for number in range(1000):
        tracker.notify(f"stage-{number}")
    assert time.monotonic() - started < 1
    assert not tracker.close(0.5)
    assert time.monotonic() - started < 10
    assert len(json.loads((tmp_path / "pending.json").read_text())["stages"]) == 1000


def test_a_run_imports_no_mlflow_and_a_store_in_memory_is_followed_too(tmp_path: Path, uri: str) -> None:
    code = "import sys, stilts.tracking.follower; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    from stilts.ledger.study_record import write_study

    record, _ = filled(Shape(rows=("none",), columns=("xnli",)))
    store = make_store("memory://followed")
    write_study(store, record)
    tracker = follow(store, record.name, uri, folder=tmp_path)
    assert tracker.close(60)
    assert len(runs_of(uri)) == 1
