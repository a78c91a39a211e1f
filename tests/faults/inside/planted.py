"""Imported by ``tests/e2e/inside/sitecustomize.py`` at the start of every Python: what a test plants in a run.

``STEP_S``   each optimizer step takes so many seconds longer, so that a fault can strike in the middle of a stage
``PLANTED``  troubles of the work itself, by name; one that happens once is claimed by a file in the folder of WATCH
``WITHOUT``  recoveries that are switched off, by name: the test of the fault has to fail then
"""

import os
import select
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import sitecustomize

if "FAKETIME" in os.environ:  # with --exclude-monotonic libfaketime 0.9.10 refuses clock_nanosleep (EINVAL)
    time.sleep = lambda seconds: select.select([], [], [], seconds)  # type: ignore[assignment, return-value]

STEP_S = float(os.environ.get("STEP_S", 0.0))
# The step of a stage at which what is planted happens.
AT_STEP = 12


def slow_steps(module: ModuleType) -> None:
    module.register_optimizer_step_post_hook(lambda optimizer, args, kwargs: time.sleep(STEP_S))


def around_gradients(trouble: Callable[[Any, Any], None], spoil: bool = False) -> Callable[[ModuleType], None]:
    """Has ``trouble`` called before each pass of the training loop; with ``spoil`` the loss becomes NaN instead."""

    def plant(module: ModuleType) -> None:
        real, calls = module.add_gradients, [0]

        def planted(passes: Any, share: Any, ranks: Any) -> Any:
            calls[0] += 1
            loss = None if spoil else trouble(passes, share)
            loss = real(passes, share, ranks)
            return loss * float("nan") if spoil and of_mnli(passes) and calls[0] % 40 == AT_STEP else loss

        module.add_gradients = planted

    return plant


def of_mnli(passes: Any) -> bool:
    """Whether this is the training of the row: the column is another task."""
    return bool(passes.task.learner == "mnli")


def device_is_full(passes: Any, share: Any) -> None:
    import torch

    if max(len(batch.units) for batch in share.batches) > 4:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB (planted)")


def host_is_full(passes: Any, share: Any) -> None:
    if max(len(batch.units) for batch in share.batches) > 4:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory (planted)")


def a_bug(passes: Any, share: Any) -> None:
    if of_mnli(passes) and steps_here() % 40 == AT_STEP:
        raise ZeroDivisionError("division by zero (planted)")


def steps_here() -> int:
    path = Path(sitecustomize.WATCH) / f"{os.getpid()}.steps"
    return path.stat().st_size if path.exists() else 0


def nothing(*given: Any, **named: Any) -> None:
    """In place of a recovery."""


def forget_checkpoints(module: ModuleType) -> None:
    module.Checkpoints.load = nothing


def no_retries(module: ModuleType) -> None:
    module.MAX_RETRIES = module.MAX_DEATHS = 0


def hear_no_silence(module: ModuleType) -> None:
    module.Silence.look = lambda self, running: []


def no_patience(module: ModuleType) -> None:
    module.PATIENCE_S = 0.0


def no_health(module: ModuleType) -> None:
    module.Health._watch = module.Health.check = nothing


def anybody_may_lease(module: ModuleType) -> None:
    judge = module.judge
    module.judge = lambda *given, **named: replace(judge(*given, **named), live=False)
    module.HeldLease.check = nothing


def believe_wall_clocks(module: ModuleType) -> None:
    module.Here.__init__.__kwdefaults__["ticks"] = lambda: {"monotonic": time.time()}


def no_halving(module: ModuleType) -> None:
    module.is_out_of_memory = lambda error: False


PLANTS: dict[str, tuple[str, Callable[[ModuleType], None]]] = {
    "full device": ("stilts.training.loop", around_gradients(device_is_full)),
    "full host": ("stilts.training.loop", around_gradients(host_is_full)),
    "bug": ("stilts.training.loop", around_gradients(a_bug)),
    "nan": ("stilts.training.loop", around_gradients(lambda passes, share: None, spoil=True)),
}
RECOVERIES: dict[str, tuple[str, Callable[[ModuleType], None]]] = {
    "resume": ("stilts.store.progress", forget_checkpoints),
    "retries": ("stilts.scheduling.desk", no_retries),
    "silence": ("stilts.scheduling.silence", hear_no_silence),
    "patience": ("stilts.store.bucket", no_patience),
    "health": ("stilts.scheduling.health", no_health),
    "leases": ("stilts.store.lease", anybody_may_lease),
    "own clocks": ("stilts.store.here", believe_wall_clocks),
    "halving": ("stilts.models.device_memory", no_halving),
}


def plant(module: str, change: Callable[[ModuleType], None]) -> None:
    """Has a change made once the module was imported, after those that are made already."""
    before = sitecustomize.ON_IMPORT.get(module, nothing)

    def both(imported: ModuleType) -> None:
        before(imported)
        change(imported)

    sitecustomize.ON_IMPORT[module] = both


if STEP_S:
    plant("torch.optim.optimizer", slow_steps)
for table, variable in ((PLANTS, "PLANTED"), (RECOVERIES, "WITHOUT")):
    for name in filter(None, os.environ.get(variable, "").split(",")):
        plant(*table[name])
