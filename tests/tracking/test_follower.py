"""A study is shown from another process, every so often and at its end; a run that works never waits for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stilts.app.showcase import track_addresses, track_command, tracker_of
from stilts.execute.tracker import NullTracker, Tracker
from stilts.ledger.study_record import write_study
from stilts.store import make_store
from stilts.tracking.follower import Follower
from tests.contracts.tracker_contract import TrackerContract
from tests.e2e.studies import ROOT, environment
from tests.tracking.fake_store import Shape, filled, publish_all
from tests.tracking.mlflow_contents import runs_of

# Stands for ``stilts track``: notes how it was called, takes its time, and fails where it is told to.
SCRIPT = """
import json, os, sys, time
folder, *options = sys.argv[1:]
started = time.time()
time.sleep(float(os.environ.get("TAKES", "0")))
called = {"options": options, "started": started, "ended": time.time(), "nice": os.nice(0)}
called["address"] = os.environ.get("MLFLOW_TRACKING_URI")
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(json.dumps(called) + "\\n")
if os.path.exists(os.path.join(folder, "away")):
    print("no answer from " + str(called["address"]), file=sys.stderr)
    sys.exit(1)
"""
RUNNING, STOPPED, FINISHED = ["--running", "--runs-only"], ["--stopped", "--runs-only"], ["--stopped"]
ADDRESS = "postgresql://me:s3cret@host/db"


def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def calls(folder: Path) -> list[dict[str, Any]]:
    path = folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def options(folder: Path) -> list[list[str]]:
    return [call["options"] for call in calls(folder)]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[..., Follower]]:
    """Makes a follower of the script, in a hurry; ends its process after the test."""
    made: list[Follower] = []

    def make(**more: Any) -> Follower:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
        hurry = {"first_after_s": 0.0, "every_s": 0.1, "addresses": {"MLFLOW_TRACKING_URI": ADDRESS}}
        made.append(Follower(command, **{**hurry, **more}))
        return made[-1]

    yield make
    for follower in made:
        follower._process.kill()
        follower._process.wait()


class TestFollower(TrackerContract):
    @pytest.fixture
    def tracker(self, follow: Callable[..., Follower]) -> Tracker:
        return follow()


class TestNullTracker(TrackerContract):
    @pytest.fixture
    def tracker(self) -> Tracker:
        return NullTracker()


def test_many_notices_become_few_rounds_one_after_the_other(follow: Callable[..., Follower], tmp_path: Path) -> None:
    follower = follow()
    until(lambda: follower.notify() or len(calls(tmp_path)) >= 3)
    assert follower.close(finished=True, timeout_s=60)
    seen = calls(tmp_path)
    assert options(tmp_path) == [RUNNING] * (len(seen) - 1) + [FINISHED] and len(seen) <= 5
    assert all(before["ended"] < after["started"] for before, after in pairwise(seen))
    pauses = [after["started"] - before["ended"] for before, after in pairwise(seen[:-1])]
    assert min(pauses) >= 0.1


def test_a_round_is_told_the_ray_job_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(os.environ.get('STILTS_RAY_JOB', ''))"
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", '{"metadata": {"job_submission_id": "raysubmit_7"}}')
    follower = Follower([sys.executable, "-c", told, str(tmp_path / "job")], addresses={})
    assert follower.close(finished=True, timeout_s=60)
    assert (tmp_path / "job").read_text() == "raysubmit_7"


def test_without_news_there_is_one_round_at_the_end(follow: Callable[..., Follower], tmp_path: Path) -> None:
    follower = follow()
    time.sleep(0.5)
    assert follower.close(finished=True, timeout_s=60)
    assert options(tmp_path) == [FINISHED]
    assert calls(tmp_path)[0]["nice"] == os.nice(0), "somebody waits for it"


def test_a_run_that_was_broken_off_is_shown_as_that(follow: Callable[..., Follower], tmp_path: Path) -> None:
    follower = follow(first_after_s=600.0)
    follower.notify()
    assert follower.close(finished=False, timeout_s=60)
    assert options(tmp_path) == [STOPPED]
    assert calls(tmp_path)[0]["nice"] == 19


KILLED = """
import os, signal, sys, time
from stilts.tracking.follower import Follower
follower = Follower(sys.argv[1:], addresses={}, first_after_s=0.0, every_s=0.1)
follower.notify()
print("following", flush=True)
time.sleep(600)
"""


def killed_run(*command: str, env: dict[str, str]) -> subprocess.Popen[str]:
    """A process that follows a study and waits to be killed."""
    words = [sys.executable, "-c", KILLED, *command]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT)
    assert process.stdout is not None and process.stdout.readline() == "following\n"
    return process


def test_a_run_that_was_killed_is_shown_as_broken_off(tmp_path: Path) -> None:
    run = killed_run(sys.executable, "-c", SCRIPT, str(tmp_path), env=environment())
    until(lambda: calls(tmp_path))
    run.kill()
    run.wait()
    until(lambda: STOPPED in options(tmp_path))
    assert options(tmp_path)[-1] == STOPPED


def test_what_fails_is_told_once_without_secrets_and_tried_again_without_news(
    follow: Callable[..., Follower], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "away").touch()
    follower = follow()
    follower.notify()
    until(lambda: len(calls(tmp_path)) >= 2)
    follower.notify()
    assert not follower.close(finished=True, timeout_s=60)
    assert capsys.readouterr().err == "MLflow: no answer from postgresql://***@host/db\n"


def test_what_comes_back_is_shown(follow: Callable[..., Follower], tmp_path: Path) -> None:
    (tmp_path / "away").touch()
    follower = follow()
    follower.notify()
    until(lambda: calls(tmp_path))
    (tmp_path / "away").unlink()
    assert follower.close(finished=True, timeout_s=60)


def test_the_end_waits_only_so_long_and_the_round_goes_on(
    follow: Callable[..., Follower], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAKES", "3")
    follower = follow()
    started = time.monotonic()
    assert not follower.close(finished=True, timeout_s=0.3)
    assert time.monotonic() - started < 2.5
    until(lambda: options(tmp_path) == [FINISHED])


def test_a_program_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    follower = Follower([str(tmp_path / "nothing")], addresses={})
    assert not follower.close(finished=True, timeout_s=60)
    assert "No such file" in capsys.readouterr().err


def test_the_process_is_out_of_the_terminals_reach_and_names_no_address(follow: Callable[..., Follower]) -> None:
    pid = follow()._process.pid
    assert os.getsid(pid) != os.getsid(0)
    until(lambda: b"stilts.tracking.rounds" in Path(f"/proc/{pid}/cmdline").read_bytes())
    assert ADDRESS.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    words = track_command("little")
    assert not any(address in word for word in words for address in track_addresses("s3://me:s3cret@b", ADDRESS))


def test_neither_side_imports_what_is_large() -> None:
    code = (
        "import sys, stilts.tracking.follower, stilts.tracking.rounds;"
        "sys.exit(not {'mlflow', 'pandas', 'numpy', 'typer'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_killed_run_leaves_no_run_running(tmp_path: Path, uri: str) -> None:
    record, fake = filled(Shape(rows=("none",), columns=("xnli",), languages=("en",)))
    fake.results = {key: value for key, value in fake.results.items() if "report" not in key}
    store = publish_all(fake, record, tmp_path / "store")
    run = killed_run(*track_command(record.name), env=environment(**track_addresses(store.url, uri)))

    def statuses() -> set[str]:
        return {run.info.status for run in runs_of(uri, must_be_there=False)}

    until(lambda: statuses() == {"RUNNING"}, 300)
    run.send_signal(signal.SIGKILL)
    run.wait()
    until(lambda: statuses() == {"KILLED"}, 300)


class TestStoreInMemory(TrackerContract):
    @pytest.fixture
    def tracker(self, uri: str) -> Tracker:
        record, _ = filled(Shape(rows=("none",), columns=("xnli",)))
        store = make_store("memory://followed")
        write_study(store, record)
        return tracker_of(record.name, store, uri)
