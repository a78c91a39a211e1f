"""MLflow goes away in the middle of a study, and comes back: nothing is lost, and sending again changes nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from stilts.cli.showcase import track_addresses, track_command
from stilts.store.store import Store
from stilts.study.record import StudyRecord
from stilts.tracking.follower import Follower
from stilts.tracking.run_view import RunView
from stilts.tracking.sync import sync
from stilts.tracking.views import run_views
from tests.tracking.fake_store import FakeStore, Shape, filled, publish_all, seen

pytestmark = pytest.mark.slow

STUDY = Shape(rows=("none", "mnli"), columns=("xnli", "udpos"), seeds=4, languages=("en", "de", "sw"), curve=50)


class Server:
    """A real MLflow server with one worker over SQLite, on loopback, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.uri = f"http://127.0.0.1:{self.port}"
        self.database = f"sqlite:///{folder}/mlflow.db"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        words += ["--workers", "1", "--backend-store-uri", self.database]
        words += ["--artifacts-destination", str(self._folder / "artifacts")]
        quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(words, env=quiet, stdout=log, stderr=log, start_new_session=True)
        until(self.answers, 180)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def signal(self, which: signal.Signals) -> None:
        """Sends a signal to the server and its worker: a process group of their own."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, which)
            if which is signal.SIGKILL:
                self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.signal(signal.SIGKILL)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


def until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def followed(store: Store, server: Server) -> Follower:
    """A tracker as a run has it, but in a hurry."""
    addresses = track_addresses(store.url, server.uri)
    return Follower(track_command("little"), addresses=addresses, first_after_s=0.0, every_s=0.1)


def num_metrics(server: Server) -> int:
    """How many points the server's database holds now."""
    client = MlflowClient(tracking_uri=server.database)
    experiment = client.get_experiment_by_name("little")
    if experiment is None:
        return 0
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    return sum(len(client.get_metric_history(run.info.run_id, key)) for run in runs for key in run.data.metrics)


def missing(view: RunView, run: Any, client: MlflowClient) -> list[str]:
    """Every metric point, parameter, tag and input of the view that the run does not show as it is."""
    run_id = run.info.run_id
    held = {
        (point.key, point.step, point.timestamp, point.value)
        for key in run.data.metrics
        for point in client.get_metric_history(run_id, key)
    }
    wanted = {(point.name, point.step, point.time_ms, point.value) for point in view.points}
    inputs = {(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs}
    return [
        *(f"{view.name}: point {point}" for point in wanted ^ held),
        *(f"{view.name}: param {item}" for item in view.params.items() ^ run.data.params.items()),
        *(f"{view.name}: tag {item}" for item in view.tags.items() - run.data.tags.items()),
        *(f"{view.name}: input {each}" for each in inputs ^ {(each.name, each.digest) for each in view.inputs}),
    ]


def compared(record: StudyRecord, store: Store, uri: str) -> int:
    """How many metric points were compared, one by one, with what the store says; fails where any differs."""
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(record.name)
    assert experiment is not None
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id], max_results=1000)}
    views = list(run_views(seen(record, store), running=False))
    assert sorted(runs) == sorted(view.name for view in views)
    assert [flaw for view in views for flaw in missing(view, runs[view.name], client)] == []
    return sum(len(view.points) for view in views)


def test_a_server_killed_in_mid_study_loses_nothing(tmp_path: Path, server: Server) -> None:
    record, fake = filled(STUDY)
    store = publish_all(FakeStore(), record, tmp_path / "store")
    tracker = followed(store, server)
    keys = sorted(fake.results, key=lambda key: float(str(fake.results[key]["started"])))
    at_kill = 0
    for number, key in enumerate(keys):
        fake_part = FakeStore({key: fake.results[key]}, {key: fake.payloads[key]})
        publish_all(fake_part, record, tmp_path / "store")
        tracker.notify()
        if number == len(keys) // 3:
            until(lambda: num_metrics(server) > 100, 240)  # kill -9 while more is on its way
            at_kill = num_metrics(server)
            server.signal(signal.SIGKILL)
        time.sleep(0.01)
    assert not tracker.close(finished=False, timeout_s=240)

    server.start()
    later = followed(store, server)  # the next run of the study
    assert later.close(finished=False, timeout_s=240)
    total = compared(record, store, server.uri)
    assert total >= 1000
    assert 0 < at_kill < total

    before = contents(tmp_path)
    again = sync(seen(record, store), server.uri, running=False)
    assert (again.created, again.updated, again.removed) == (0, 0, 0)
    assert again.unchanged == 1 + 1 + 16  # the study, the recipe of mnli, the replicates
    assert contents(tmp_path) == before


def contents(folder: Path) -> str:
    """Every row of every table of the database."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return "\n".join(database.iterdump())


def test_with_the_server_stopped_no_step_waits(tmp_path: Path, server: Server) -> None:
    """SIGSTOP is the worst case: connections are taken and never answered."""
    record, fake = filled(STUDY)
    store = publish_all(fake, record, tmp_path / "store")
    tracker = followed(store, server)
    tracker.notify()
    until(lambda: num_metrics(server) > 0, 240)
    server.signal(signal.SIGSTOP)
    waits, steps = [], 0
    for _ in range(40):
        for _ in range(25):  # stands for a stage's steps
            started = time.monotonic()
            tracker.notify()
            waits.append(time.monotonic() - started)
            steps += 1
            time.sleep(0.002)
    started = time.monotonic()
    assert not tracker.close(finished=False, timeout_s=3)
    assert time.monotonic() - started < 15
    assert steps == 1000
    assert sorted(waits)[990] < 0.005, "a notice returns at once"
    assert max(waits) < 0.5
    server.signal(signal.SIGCONT)
    wanted = list(run_views(seen(record, store), running=False))
    until(lambda: num_metrics(server) == sum(len(view.points) for view in wanted), 240)  # it went on by itself
