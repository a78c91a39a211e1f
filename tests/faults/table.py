"""The table of faults on one machine: how each is injected, what is to hold, and which recovery sees to it.

``test_one_machine.py`` injects each twice: as it is, and with its recovery switched off: it has to fail then.
Those of a whole cluster are in ``test_cluster.py``, those that no recovery can help with in ``test_failures.py``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.world import STEPS, Scene, Strike

RAY, LOCAL = ("--num-cpus", "1"), ("--local",)
OFTEN = ("--checkpoint-every", "0")
# A lease without a heartbeat is free after 60 s.
LEASE_S, BEAT_S = 60.0, 15.0
# What a stage of the study that hangs may take over a step: a process that is started needs its time on a busy machine.
SILENT_S = 40


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``inject`` strikes a run in the middle of a stage and is back when the fault is over.

    ``first_ends`` are the exit statuses that the struck command may have, ``again`` whether it is typed again then;
    it prints ``said``, no command ``unsaid``. ``recovery`` is what of ``inside/planted.py`` is switched off to
    see the test fail.
    """

    name: str
    injected: str
    holds: str
    inject: Callable[[Scene, Strike], None]
    recovery: str
    options: tuple[str, ...] = RAY
    first_ends: tuple[int, ...] = (0,)
    again: bool = False
    said: str = ""
    unsaid: str = ""


def kill_worker(scene: Scene, strike: Strike) -> None:
    scene.worker().kill()


def kill_driver(scene: Scene, strike: Strike) -> None:
    scene.typed[-1].process.kill()


def end_driver(scene: Scene, strike: Strike) -> None:
    scene.typed[-1].process.terminate()


def kill_head(scene: Scene, strike: Strike) -> None:
    (head,) = [one for one in scene.typed[-1].below() if one.name() == "gcs_server"]
    head.kill()


def stop_worker(scene: Scene, strike: Strike) -> None:
    scene.worker().suspend()


def type_second_driver(scene: Scene, strike: Strike) -> None:
    assert scene.type(*LOCAL, *OFTEN).ended() == 0


def pause_driver(scene: Scene, strike: Strike) -> None:
    """Longer than its lease: another driver has trained what was free, taken the stage over, and taken steps of it."""
    first = scene.typed[-1].process
    first.suspend()
    steps = scene.steps()
    second = scene.type(*LOCAL, *OFTEN)
    assert scene.until(lambda: scene.steps() > steps + STEPS + 2, LEASE_S + 120), second.said
    assert time.monotonic() - strike.at > LEASE_S - BEAT_S, "the stage was taken over within its lease"
    first.resume()
    assert second.ended() == 0, second.said


def type_driver_of_another_time(scene: Scene, strike: Strike) -> None:
    """A second driver whose clock is two hours ahead."""
    ahead = ("faketime", "--exclude-monotonic", "-f", "+7200s")
    assert scene.type(*LOCAL, *OFTEN, before=ahead).ended() == 0, scene.typed[-1].said


def fill_disk(scene: Scene, strike: Strike) -> None:
    """Fills the disk of the store until the run has ended, and makes room again."""
    filler = scene.folder / "store" / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            pass
    scene.typed[-1].ended()
    filler.unlink()


def on_small_disk(scene: Scene) -> bool:
    """Whether the scene's store will lie on a disk of its own: 48 MB of memory."""
    store = scene.folder / "store"
    store.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(store)]
    return os.geteuid() == 0 and subprocess.run(words, capture_output=True).returncode == 0


KILLED = -int(signal.SIGKILL)

FAULTS = (
    Fault(
        name="a worker is killed",
        injected="kill -9 of the trial's process, half-way through a training",
        holds="another process goes on from the last checkpoint; the run ends with status 0",
        inject=kill_worker,
        recovery="retries",
        said="its process was killed",
    ),
    Fault(
        name="a stage is trained from its first step again",
        injected="kill -9 of the trial's process, and no checkpoint is found",
        holds="as above: that nothing is done twice is the checkpoint's doing",
        inject=kill_worker,
        recovery="resume",
    ),
    Fault(
        name="the driver is killed",
        injected="kill -9 of the command, half-way through a training; it is typed again",
        holds="the second goes on from the last checkpoint",
        inject=kill_driver,
        recovery="resume",
        first_ends=(KILLED,),
        again=True,
    ),
    Fault(
        name="the driver is asked to end",
        injected="SIGTERM, as Ray, Slurm and Kubernetes send it, half-way through a training; it is typed again",
        holds="a last checkpoint, how to go on, status 143; the second command goes on from there",
        inject=end_driver,
        recovery="resume",
        first_ends=(143,),
        again=True,
        said="What is done stays done. 1 running go on from their last checkpoint",
    ),
    Fault(
        name="the head is killed",
        injected="kill -9 of Ray's GCS; the command is typed again",
        holds="the first ends with status 1 and one sentence within 45 s",
        inject=kill_head,
        recovery="health",
        first_ends=(1,),
        again=True,
        said="has not answered for 30 s",
    ),
    Fault(
        name="a stage hangs",
        injected=f"SIGSTOP of the trial's process (resources.silent_s: {SILENT_S})",
        holds="its process is ended within silent_s and a look, another goes on from the checkpoint",
        inject=stop_worker,
        recovery="silence",
        said=f"it took no step for {SILENT_S} s",
    ),
    Fault(
        name="two drivers on one store",
        injected="the same command is typed again while the first runs",
        holds="each stage is run by one of them; the other says who trains it",
        inject=type_second_driver,
        recovery="leases",
        unsaid="retried",
        options=LOCAL,
    ),
    Fault(
        name="a driver is paused longer than its lease",
        injected="SIGSTOP for more than 60 s; a second driver takes the stage over; SIGCONT",
        holds="what the first made meanwhile is discarded, both end with status 0",
        inject=pause_driver,
        recovery="leases",
        options=LOCAL,
    ),
    Fault(
        name="clocks apart",
        injected="the clock of a second driver is two hours ahead (libfaketime)",
        holds="it waits for the first one's stage; no clock of another process is believed",
        inject=type_driver_of_another_time,
        recovery="own clocks",
        unsaid="retried",
        options=LOCAL,
    ),
    Fault(
        name="the disk is full",
        injected="the store's disk is filled; once the run has ended room is made, and the command typed again",
        holds="the first ends with status 1 and one message, the second goes on",
        inject=fill_disk,
        recovery="resume",
        options=LOCAL,
        first_ends=(1,),
        again=True,
        said="No space left on device",
    ),
)


def faketime_is_there() -> bool:
    try:
        return subprocess.run(["faketime", "-f", "+1s", "true"], capture_output=True).returncode == 0
    except OSError:
        return False
