"""The Ray cluster that a run uses: an existing one, or a private one on this machine that ends with the run."""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from typing import Any, TextIO, cast

from stilts.errors import ClusterError
from stilts.execute.disk import disk_error
from stilts.scheduling.claimant import Claimant
from stilts.scheduling.health import RayDied
from stilts.scheduling.signals import held
from stilts.shown import shown

# Read by Ray in the driver (and passed on to its workers) when it starts.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Its C++ handler answers SIGTERM with a stack trace; signals.py answers it with a checkpoint.
    "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1",
    # Its successor prints tables at verbosity 0 too.
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Trials that wait for an actor: all that the desk hands out have their place already.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
    # Tune's own state is never read: save it at the end only.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # It asks the head what there is, and waits for one that is gone; we count nodes ourselves.
    "TUNE_STATE_REFRESH_PERIOD": "1000000",
    "TUNE_WARN_THRESHOLD_S": "30",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "60",
}
# Ray sets the place in front of its notices in colour, which is not the notice's own text.
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
# In Ray's notice of a dead raylet, with its whole state; health.py tells of it in a sentence.
_NOT_FOR_USERS = ("Raylet is terminated", "[state-dump]")
# Weights go through the store, not through Ray.
_OBJECT_STORE_BYTES = 200 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RaySettings:
    """Which cluster, and how much of it.

    ``address`` is an existing cluster's; None takes RAY_ADDRESS, and where that is unset starts a private cluster with
    ``num_cpus`` and ``num_gpus`` (None: all of this machine). ``max_concurrent`` caps the stages in flight,
    ``max_gpus`` the GPUs that they hold together. A stage that says nothing for ``silent_s`` seconds is ended.
    ``claimant`` is the study among others on a cluster that is joined.
    """

    address: str | None = None
    num_cpus: int | None = None
    num_gpus: int | None = None
    max_concurrent: int | None = None
    max_gpus: float | None = None
    silent_s: float = 1800.0
    claimant: Claimant | None = None

    @property
    def joined(self) -> str | None:
        """The address of the cluster that is joined, within a Ray job its own; None where a private one is started."""
        address = self.address or os.environ.get("RAY_ADDRESS")
        return address if address and address != "local" else None


@contextmanager
def ray_cluster(settings: RaySettings) -> Iterator[None]:
    """Connects to the cluster, or starts it, and leaves it again; a connection that was there before stays."""
    with _environment(_QUIET), _quiet_loggers(), redirect_stdout(_clean(sys.stdout)):
        with held():  # after half an import Ray's exit hook ends in a traceback
            import ray
            import ray.tune

        if ray.is_initialized():
            yield
            return
        try:
            with held():  # half a cluster would outlive the run
                _start(settings)
            yield
        except RayDied as died:
            with held(), _silence():
                _leave_what_died(died)
            raise
        except BaseException:
            _leave()
            raise
        _leave()


def _leave() -> None:
    """Leaves the cluster; what Ray has not printed yet, it prints here, in this thread."""
    import ray

    with held(), redirect_stdout(sys.stderr):
        ray.shutdown()


def _leave_what_died(died: RayDied) -> None:
    """Leaves a cluster of which a part is gone.

    Without a head Ray would wait, with Python's lock in its hand, until it ends the process: so the process ends before
    Ray's own exit hook, and with status 1.
    """
    import ray

    if not died.head_is_gone:
        ray.shutdown()
        return
    sys.excepthook = sys.__excepthook__  # Ray's own asks the head before it prints
    atexit.unregister(ray.shutdown)
    atexit.register(_end_without_ray)


def _end_without_ray() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(1)


def _start(settings: RaySettings) -> None:
    """Connects to the cluster, or starts it; ClusterError where that fails."""
    import ray

    address = settings.joined
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address is not None:
            ray.init(address=address, **quiet)
            return
        ray.init(
            address="local",
            num_cpus=settings.num_cpus,
            num_gpus=settings.num_gpus,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            **quiet,
        )
    except Exception as error:
        raise _not_started(error, address) from error


def _not_started(error: Exception, address: str | None) -> ClusterError:
    """Why there is no cluster: a disk that is full, an address that nobody answers, or Ray's own first line."""
    trouble = disk_error(error)
    lines = str(error).strip().splitlines() or [type(error).__name__]
    found = f"{trouble.filename or 'a file'}: {trouble.strerror or trouble}" if trouble else lines[0]
    joined = address is not None
    return ClusterError(
        f"Ray cluster at {address}" if joined else "Ray on this machine",
        found,
        "No stage was started; what is done stays done",
        "Start the cluster, or correct --address"
        if joined
        else "Ray keeps its session below /tmp/ray, or where RAY_TMPDIR says; --local does without Ray",
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps off the terminal what Ray says of a connection that is gone; our own sentence follows."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets variables that are unset, for a while: what the user set stays."""
    fresh = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            os.environ.pop(name, None)


@contextmanager
def _quiet_loggers() -> Iterator[None]:
    """Tune logs a failed trial with a traceback; the desk tells of it in one line."""
    loggers = [logging.getLogger(name) for name in ("ray.tune", "ray.air", "ray.train")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class _WithoutRay:
    """Standard output without Ray's notices (a dead worker, a full disk): those go to standard error.

    Ray prints them to standard output from a thread of its own, and a command's standard output is its answer.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes to where the calling thread's words belong."""
        if threading.current_thread().name != "ray_listen_error_messages":
            return self._stream.write(text)
        if any(words in text for words in _NOT_FOR_USERS):
            return len(text)
        return sys.stderr.write(shown(_COLOUR.sub("", text), keep="\n\t"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _clean(stream: TextIO) -> TextIO:
    return cast(TextIO, _WithoutRay(stream))
