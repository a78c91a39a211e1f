"""One attempt at a stage, in the process that does the work: what it came to, as plain JSON. No Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from stilts.addresses import without_secrets
from stilts.errors import DeviceError, LeaseHeldError, LeaseLostError, RankError, StoreUnavailableError
from stilts.execute.disk import FULL, HOPELESS, disk_error
from stilts.fingerprint import Json
from stilts.store.artifact_store import ArtifactStore
from stilts.store.opening import open_store
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from stilts.training.reporter import Reporter
from stilts.training.run_config import RunConfig

# What torch's errors of devices, memory, threads and connections say; shapes and types are none of them.
_OF_THE_MACHINE = (
    *("cuda", "nccl", "cublas", "cudnn", "accelerator", "device-side", "out of memory", "allocate memory"),
    *("start new thread", "resource temporarily unavailable", "connection", "broken pipe"),
)

# What a process does with a stage, by its kind.
_DOES = {"train": "trains", "evaluate": "evaluates", "estimate": "estimates"}


class Ended(Protocol):
    """How a stage ended: ``stilts.execute.run_stage.Outcome``, as far as scheduling looks at it."""

    @property
    def state(self) -> str:
        """``done`` or ``pruned``."""

    @property
    def executed(self) -> bool:
        """Whether work was done now; False where the stage was found done."""

    @property
    def seconds(self) -> float:
        """Seconds of this attempt."""


class Executor(Protocol):
    """Runs one stage to its end. Travels to workers by pickle."""

    def __call__(self, stage: Stage, reporter: Reporter) -> Ended:
        """How the stage ended; raises what it failed with."""

    def holding(self, held: Resources) -> Executor:
        """The executor of stages that hold so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreExecutor:
    """Runs stages that hold ``held`` on the store at ``store_url``, opened once per process, as ``configured``."""

    store_url: str
    configured: Callable[[Resources], RunConfig]
    held: Resources = field(default_factory=Resources)

    def __call__(self, stage: Stage, reporter: Reporter) -> Ended:
        """Runs ``run_stage``. Torch is imported with the first stage, so a warm worker pays for it once."""
        from stilts.execute.run_stage import run_stage

        run = self.configured(self.held)
        return run_stage(stage, _store(self.store_url, run.scratch_dir, run.job or ""), run, reporter)

    def holding(self, held: Resources) -> StoreExecutor:
        """The executor of stages that hold so much."""
        return replace(self, held=held)


def attempt(execute: Callable[[Stage, Reporter], Ended], stage: Stage, reporter: Reporter) -> dict[str, Json]:
    """The attempt's outcome: stage_id, state (done, pruned, failed, busy), executed, seconds, error.

    A failure is an outcome, because the other stages go on. ``may_pass`` says whether another try may help,
    ``spoiled`` that this process should not try again (a CUDA error stays with its process), and ``ends_run`` that no
    other stage would fare better (a full disk, a device that is not there). What ends the process is passed on.
    """
    started = time.monotonic()
    try:
        ended = execute(stage, reporter)
    except LeaseHeldError as error:
        return _outcome(stage, "busy", started, error=_waits(stage, error), may_pass=True)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of tokenizers or safetensors is no Exception
        return _outcome(stage, "failed", started, error=_text(error), **_judged(error))
    return {**_outcome(stage, str(ended.state), started), "executed": ended.executed, "seconds": ended.seconds}


def interrupted(stage: Stage) -> dict[str, Json]:
    """The outcome of a stage that the end of its run broke off: nobody waits for it any more."""
    return _outcome(stage, "busy", time.monotonic(), error="KeyboardInterrupt: the run ended", may_pass=True)


def _judged(error: BaseException) -> dict[str, Json]:
    """Whether another try, another process or another stage may fare better after a failure."""
    if isinstance(error, RankError):  # a process that is gone spoils the connections of this one
        return _judged(error.__cause__ or ConnectionError(error.found)) | {"spoiled": True}
    trouble, unavailable = disk_error(error), isinstance(error, StoreUnavailableError)
    spoiled = isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _is_of_the_machine(error))
    lasting = isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError)
    passing = spoiled or unavailable or (isinstance(error, OSError | LeaseLostError) and not lasting)
    return {
        "may_pass": passing and (trouble is None or trouble.errno not in HOPELESS),
        "spoiled": spoiled,
        "ends_run": unavailable or isinstance(error, DeviceError) or (trouble is not None and trouble.errno in FULL),
    }


def _waits(stage: Stage, error: LeaseHeldError) -> str:
    """``job little-20261130 trains it``: that somebody else does the work is no error."""
    doing = f"{error.holder} {_DOES.get(stage.stage_id.partition('-')[0], 'runs')} it"
    return f"{doing}. {error.clocks}" if error.clocks else doing


def _is_of_the_machine(error: RuntimeError) -> bool:
    """Whether a RuntimeError is of the device or its memory: of what else torch raises it, the next try is the same."""
    said = f"{type(error).__name__} {error}".lower()
    return any(mark in said for mark in _OF_THE_MACHINE)


def _outcome(stage: Stage, state: str, started: float, **more: Json) -> dict[str, Json]:
    base: Mapping[str, Json] = {"executed": True, "error": "", "may_pass": False, "spoiled": False, "ends_run": False}
    return {**base, "stage_id": stage.stage_id, "state": state, "seconds": time.monotonic() - started, **more}


def _text(error: BaseException) -> str:
    """What went wrong, as it may stand in records and views: libraries repeat addresses as they got them."""
    return without_secrets(f"{type(error).__name__}: {error}")


@lru_cache(maxsize=4)
def _store(url: str, scratch_dir: str | None, job: str) -> ArtifactStore:
    return open_store(url, scratch_dir=Path(scratch_dir) if scratch_dir else None, patient=True, job=job)
