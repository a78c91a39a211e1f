"""run_stage: the only way a stage is executed, here or on a cluster. Idempotent: what is published stays.

A stage is run under its lease, resumes from its last checkpoint, and publishes its outputs atomically. Nothing on
this path imports ray, mlflow or optuna.
"""

from __future__ import annotations

import contextlib
import platform
import time
from dataclasses import dataclass
from enum import StrEnum

import torch

from stilts.data.load import forget_examples
from stilts.errors import LeaseHeldError, LeaseLostError, StiltsError
from stilts.execute.run_estimate import run_estimate
from stilts.execute.run_evaluate import run_evaluate
from stilts.execute.run_merge import run_merge
from stilts.execute.run_train import run_train
from stilts.ledger.records import FAILURES, Failure
from stilts.models.device_memory import give_back, give_back_host
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import EstimateStage, EvaluateStage, MergeStage, Stage, TrainStage
from stilts.training.reporter import Reporter, SilentReporter
from stilts.training.run_config import RunConfig


class Ending(StrEnum):
    """How an execution ended without an error."""

    DONE = "done"
    PRUNED = "pruned"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutcome:
    """What ``run_stage`` did: ``executed`` is False where everything was done before; ``seconds`` is this call's."""

    state: Ending
    stage_id: str
    executed: bool
    seconds: float


def run_stage(stage: Stage, store: ArtifactStore, run: RunConfig, reporter: Reporter | None = None) -> StageOutcome:
    """Executes what of a stage is not yet published, and trains again what was published but whose weights are gone.

    Raises LeaseHeldError when another live process works on it, and whatever the stage itself raises after
    writing a failure record that says so.
    """
    started = time.monotonic()
    if not _missing(stage, store):
        return StageOutcome(state=Ending.DONE, stage_id=stage.stage_id, executed=False, seconds=0.0)
    with store.lease(stage.stage_id) as lease:
        missing = _missing(stage, store)
        state = Ending.DONE
        try:
            if missing and isinstance(stage, MergeStage):
                run_merge(stage, store, run, lease)
            elif missing and isinstance(stage, TrainStage):
                stopped = run_train(stage, store, run, reporter or SilentReporter(), lease)
                state = Ending.PRUNED if stopped else Ending.DONE
            elif missing and isinstance(stage, EvaluateStage):
                run_evaluate(stage, store, run, reporter or SilentReporter(), lease, frozenset(missing))
            elif missing and isinstance(stage, EstimateStage):
                run_estimate(stage, store, run, lease)
        except (LeaseLostError, LeaseHeldError):
            raise
        except Exception as error:
            _record_failure(store, stage.stage_id, error)
            raise
        finally:
            if run.device.startswith("cuda"):  # a warm process keeps the most that it ever used from its neighbours
                give_back(torch.device(run.device))
            forget_examples()
            give_back_host()
        FAILURES.delete(store, stage.stage_id)
    seconds = time.monotonic() - started
    return StageOutcome(state=state, stage_id=stage.stage_id, executed=bool(missing), seconds=seconds)


def _missing(stage: Stage, store: ArtifactStore) -> list[str]:
    """The outputs to be made: not published, or weights that were dropped (whoever runs a stage needs them)."""
    if isinstance(stage, TrainStage):
        return [key for key in stage.outputs if not store.is_done(key) or store.gone(key)]
    return [key for key in stage.outputs if not store.is_done(key)]


def _record_failure(store: ArtifactStore, stage_id: str, error: Exception) -> None:
    """Writes why a stage failed; a store that cannot take it does not hide the error itself."""
    with contextlib.suppress(OSError, StiltsError):
        earlier = FAILURES.known(store, stage_id)
        failure = Failure(
            stage_id=stage_id,
            error=str(error),
            kind=type(error).__name__,
            attempts=(earlier.attempts if earlier else 0) + 1,
            time=time.time(),
            node=platform.node(),
        )
        FAILURES.write(store, failure, stage_id)
