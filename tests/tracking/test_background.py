"""Tracking follows a study without stopping it, and loses nothing when MLflow is away."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stilts.errors import StiltsError
from stilts.execute.tracker import NullTracker, Tracker
from stilts.tracking.background import BackgroundTracker
from tests.tracking.fake_store import Shape, filled
from tests.tracking.mlflow_contents import runs_of


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_many_notices_become_few_syncs(tmp_path: Path) -> None:
    calls: list[float] = []
    tracker = BackgroundTracker(lambda: calls.append(time.monotonic()), folder=tmp_path, every_s=0.2)
    for number in range(50):
        tracker.notify(f"stage-{number}")
        time.sleep(0.005)
    assert tracker.close(5)
    assert 2 <= len(calls) <= 6
    assert not (tmp_path / "pending.json").exists()


def test_close_sends_even_without_a_notice(tmp_path: Path) -> None:
    calls: list[int] = []
    tracker = BackgroundTracker(lambda: calls.append(1), folder=tmp_path)
    assert tracker.close(5)
    assert tracker.close(5)
    assert calls == [1]


def test_the_sync_at_close_is_the_one_of_a_study_that_ended(tmp_path: Path) -> None:
    calls: list[str] = []
    tracker = BackgroundTracker(
        lambda: calls.append("sync"), last=lambda: calls.append("last"), folder=tmp_path, every_s=0.0
    )
    tracker.notify("train-a")
    deadline = time.monotonic() + 5
    while not calls and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tracker.close(5)
    assert calls == ["sync", "last"]


def test_neither_spool_nor_log_holds_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def away() -> None:
        raise ConnectionError("no answer from postgresql://me:s3cret@host/db")

    tracker = BackgroundTracker(away, folder=tmp_path)
    assert not tracker.close(5)
    kept = (tmp_path / "pending.json").read_text()
    assert "postgresql://***@host/db" in kept and "s3cret" not in kept + caplog.text


def test_notify_does_not_wait_for_a_slow_sync_and_close_keeps_its_time(tmp_path: Path) -> None:
    release = threading.Event()
    tracker = BackgroundTracker(lambda: release.wait(20), folder=tmp_path, every_s=0)
    started = time.monotonic()
    for _ in range(1000):
        tracker.notify("train-a")
    assert time.monotonic() - started < 1
    assert not tracker.close(0.2)
    assert json.loads((tmp_path / "pending.json").read_text())["stages"] == ["train-a"]
    release.set()
    assert tracker.close(5)
    assert not (tmp_path / "pending.json").exists()


def test_a_failing_sync_is_tried_again_until_it_works(tmp_path: Path) -> None:
    calls = 0
    seen: list[dict[str, object]] = []

    def flaky() -> None:
        nonlocal calls
        calls += 1
        if (tmp_path / "pending.json").exists():
            seen.append(json.loads((tmp_path / "pending.json").read_text()))
        if calls < 4:
            raise ConnectionError("away")

    tracker = BackgroundTracker(flaky, folder=tmp_path, every_s=0, backoff_s=0.02)
    tracker.notify("train-a")
    deadline = time.monotonic() + 5
    while calls < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tracker.close(5)
    assert [record["attempts"] for record in seen] == [1, 2, 3]
    assert len({record["since"] for record in seen}) == 1
    assert "ConnectionError: away" in str(seen[0]["error"])


def test_a_damaged_spool_file_only_means_that_something_waits(tmp_path: Path) -> None:
    (tmp_path / "pending.json").write_text('{"stages": [')
    sent = threading.Event()
    tracker = BackgroundTracker(sent.set, folder=tmp_path)
    assert sent.wait(5)
    assert tracker.close(5)
    assert not (tmp_path / "pending.json").exists()


def test_results_wait_while_the_server_is_away_and_are_sent_by_the_next_run(
    tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stilts.tracking.sync import sync

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    record, store = filled(Shape(rows=("none",)))
    away = f"http://127.0.0.1:{closed_port()}"
    tracker = BackgroundTracker(lambda: sync(record, store, away), folder=tmp_path, every_s=0, backoff_s=0.1)
    tracker.notify("train-xnli")
    assert not tracker.close(30)
    pending = json.loads((tmp_path / "pending.json").read_text())
    assert pending["stages"] == ["train-xnli"]
    assert "stilts track" in pending["error"]

    sent = threading.Event()
    send: Callable[[], object] = lambda: (sync(record, store, uri), sent.set())  # noqa: E731
    later = BackgroundTracker(send, folder=tmp_path)
    assert sent.wait(60), "what waits is sent without any notice"
    assert later.close(30)
    assert not (tmp_path / "pending.json").exists()
    assert len(runs_of(uri)) == 3


def test_a_server_that_is_away_is_one_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from stilts.tracking.sync import sync

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    record, store = filled(Shape(rows=("none",)))
    with pytest.raises(StiltsError, match="safe in the store") as caught:
        sync(record, store, f"http://user:s3cret@127.0.0.1:{closed_port()}/?api_key=t0k3n")
    assert "s3cret" not in str(caught.value) and "t0k3n" not in str(caught.value)


def test_neither_the_tracker_nor_the_views_import_mlflow() -> None:
    code = "import sys, stilts.tracking.background, stilts.tracking.views; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_telemetry_is_off_once_sync_is_imported() -> None:
    code = (
        "import stilts.tracking.sync; from mlflow.telemetry.client import get_telemetry_client as client;"
        "from mlflow.telemetry.utils import is_telemetry_disabled as off; assert off() and client() is None"
    )
    # An empty environment: MLflow also takes a CI system or pytest as a reason to send nothing.
    assert subprocess.run([sys.executable, "-c", code], check=False, env={}).returncode == 0


def test_the_null_tracker_has_sent_everything() -> None:
    tracker: Tracker = NullTracker()
    tracker.notify("train-a")
    assert tracker.close()
