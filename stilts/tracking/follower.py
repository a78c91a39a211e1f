"""A process of its own that brings MLflow up with one study, so that the run neither imports MLflow nor waits for it.

``SyncProcess`` is the run's side: called, it has one sync done. ``python -m stilts.tracking.follower`` is the other.
Its first line of input says what to follow: addresses may hold secrets, and a command line is read by everyone. Then it
reads one line per sync, answers each with one line of JSON, and ends when its input does. Where nobody said that the
study has ended, the run was killed: the last sync is then its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from stilts.addresses import without_secrets
from stilts.errors import StiltsError
from stilts.ledger.study_record import load_study
from stilts.shown import shown
from stilts.store.artifact_store import ArtifactStore
from stilts.tracking.background import BackgroundTracker
from stilts.tracking.stored import StoredStudy

# The lowest priority: on a machine whose cores all train, MLflow gets what they leave.
_NICENESS = 19
# Importing MLflow and making its tables takes some ten seconds of a core: a short study has that after its last stage.
_FIRST_AFTER_S = 30.0
_LOG_FILE = "tracker.log"
_SYNC, _END = "sync", "end"


def follow(store: ArtifactStore, study: str, tracking_uri: str, *, folder: Path) -> BackgroundTracker:
    """A tracker that keeps MLflow up with a running study; ``folder`` takes what waits and the log.

    A store in memory is this process's own, so its syncs run here.
    """
    if store.url.startswith("memory:"):
        sync = _sync_of(store, study, tracking_uri)
        return BackgroundTracker(partial(sync, running=True), last=partial(sync, running=False), folder=folder)
    process = SyncProcess(store_url=store.url, study=study, tracking_uri=tracking_uri, folder=folder)
    return BackgroundTracker(process, last=process.end, folder=folder, first_after_s=_FIRST_AFTER_S, stop=process.stop)


class Sync(Protocol):
    """Brings MLflow up with one study; ``running`` says whether a process works on it."""

    def __call__(self, *, running: bool) -> object:
        """What was written."""


class SyncProcess:
    """Called, has the study's MLflow view brought up to date and waits for that; StiltsError where it could not be.

    The process starts with the first call and is started again when it has died. Whatever MLflow prints goes to
    ``tracker.log`` in ``folder``.
    """

    def __init__(self, *, store_url: str, study: str, tracking_uri: str, folder: Path) -> None:
        self._subject = [store_url, study, tracking_uri]
        self._log = folder / _LOG_FILE
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Asks for one sync of a study that runs, and waits for its answer."""
        self._request(_SYNC)

    def end(self) -> None:
        """As a call, for a study that has ended: no run of it is left RUNNING."""
        self._request(_END)

    def _request(self, word: str) -> None:
        process = self._running()
        try:
            answer = _ask(process, word)
        except (OSError, ValueError) as error:  # a broken pipe, or half a line of a process that was killed
            raise self._ended(process) from error
        if answer is None:
            raise self._ended(process)
        if "error" in answer:
            raise StiltsError(*answer["error"])

    def stop(self, timeout_s: float = 0.0) -> None:
        """Ends the process: with its input closed it ends by itself, after ``timeout_s`` it is killed."""
        with self._lock:
            self._stopped, process = True, self._process
        if process is None:
            return
        with contextlib.suppress(OSError, ValueError):
            if timeout_s > 0 and process.stdin is not None:
                process.stdin.close()
                process.wait(timeout_s)
                return
        process.kill()
        process.wait()

    def _running(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise StiltsError("MLflow tracking", "it was stopped", "", 'Fill MLflow with "stilts track"')
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            return self._process

    def _started(self) -> subprocess.Popen[str]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        with self._log.open("w") as log:
            # A process group of its own: Ctrl-C is for the run, which then asks for one last sync.
            process = subprocess.Popen(
                [sys.executable, "-m", "stilts.tracking.follower"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": path},
                process_group=0,
            )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._subject) + "\n")  # sent with the first request
        return process

    def _ended(self, process: subprocess.Popen[str]) -> StiltsError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        return StiltsError(
            "MLflow tracking",
            f"its process ended with status {process.poll()}",
            "MLflow only shows the results; they are safe in the store",
            f'Read {self._log}; "stilts track" fills MLflow from the store',
        )


def _ask(process: subprocess.Popen[str], word: str) -> dict[str, list[str]] | None:
    """The answer to one request; None where the process closed its output."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    line = process.stdout.readline()
    answer: dict[str, list[str]] | None = json.loads(line) if line else None
    return answer


def serve(requests: IO[str], answers: IO[str], sync: Sync) -> None:
    """Syncs once per line of ``requests`` and writes ``{}`` or ``{"error": [four parts]}`` to ``answers``."""
    followed = False
    for request in requests:
        followed = request.strip() == _SYNC
        answers.write(json.dumps(_answer(partial(sync, running=followed))) + "\n")
        answers.flush()
    if followed:  # the run was killed; nobody waits for an answer
        _answer(partial(sync, running=False))


def _answer(sync: Callable[[], object]) -> dict[str, list[str]]:
    try:
        sync()
    except StiltsError as error:
        return {"error": [error.asked, error.found, error.why, error.next_step]}
    return {}


def main() -> None:
    """Follows the study that standard input names first, until that ends."""
    os.nice(_NICENESS)
    # Nothing but answers goes to the pipe, whatever a library prints.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    subject = sys.stdin.readline()
    if not subject:
        return
    store_url, study, tracking_uri = json.loads(subject)
    try:
        _follow_to_the_end(answers, store_url, study, tracking_uri)
    except Exception:  # what is no StiltsError ends this process; the log says why, without the secrets
        sys.stderr.write(shown(without_secrets(traceback.format_exc(), store_url, tracking_uri), keep="\n"))
        sys.exit(1)


def _follow_to_the_end(answers: IO[str], store_url: str, study: str, tracking_uri: str) -> None:
    from stilts.store import open_store

    with contextlib.suppress(BrokenPipeError):  # the run is gone
        serve(sys.stdin, answers, _sync_of(open_store(store_url), study, tracking_uri))


def _sync_of(store: ArtifactStore, study: str, tracking_uri: str) -> Sync:
    stored = StoredStudy(store=store, study=study)

    def send(*, running: bool) -> object:
        from stilts.tracking.sync import sync

        return sync(load_study(store, study), stored, tracking_uri, running=running)

    return send


if __name__ == "__main__":
    main()
