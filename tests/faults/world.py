"""A small study that is struck by a fault in the middle of a stage, and what of it must hold then.

Three trainings of ``STEPS`` steps, each of which takes ``STEP_S`` longer than it needs: while one is under way there
is time to strike, and how many steps were taken in all says what was done twice.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from stilts.store.store import Store
from tests.e2e.killing import done_files
from tests.e2e.studies import command, environment, opened, scores, tiny_study
from tests.e2e.watching import counted_steps, resumed_steps, watched

STEPS, STEP_S, TRAININGS = 40, 0.15, 3
# A checkpoint is asked for after each step, and written beside the next: so many may be lost with a process.
SINCE_CHECKPOINT = 5
INSIDE = Path(__file__).parent / "inside"
# How long one command may take on a machine that does other things besides.
LONGEST_S = 600.0


def study_in(folder: Path, **changes: Any) -> Path:
    train = {"steps": STEPS, "learning_rate": 1e-3, "limit": 64}
    defaults = {
        "intermediate": train,
        "target": train,
        "encoding": {"max_length": 64, "batch_size": 8, "layer": 1},
        "limits": {"select": 24, "report": 24},
    }
    targets = {"udpos": {"languages": ["en", "qaa"]}}
    return tiny_study(folder, defaults=defaults, targets=targets, **changes)


@dataclass(kw_only=True)
class Typed:
    """A command as it runs; ``said`` is what it printed."""

    process: psutil.Popen
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ended(self, within_s: float = LONGEST_S) -> int | None:
        """Its exit status; None where it has not ended in time, and was killed."""
        try:
            return int(self.process.wait(within_s))
        except psutil.TimeoutExpired:
            self.kill()
            return None

    def kill(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self.process.resume()
            self.process.kill()
        self.process.wait(30)

    def below(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return list(self.process.children(recursive=True))
        return []


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What was seen at the moment of the fault: steps taken in all, trainings done, and what was published."""

    steps: int
    trained: int
    done: dict[str, bytes]
    at: float

    @property
    def is_in_the_middle(self) -> bool:
        """Whether a training was under way, with steps taken and steps to go."""
        return 0 < self.steps - STEPS * self.trained < STEPS


@dataclass(kw_only=True)
class Scene:
    """One study on a store of its own, on this machine; ``without`` and ``planted`` are as in ``inside/planted.py``."""

    study: Path
    folder: Path
    without: str = ""
    planted: str = ""
    typed: list[Typed] = field(default_factory=list)
    seen: set[psutil.Process] = field(default_factory=set)

    @property
    def store(self) -> Store:
        return opened(self.folder / "store")

    @property
    def watch(self) -> Path:
        return self.folder / "watch"

    def type(self, *options: str, before: tuple[str, ...] = (), **variables: str) -> Typed:
        """``stilts run STUDY`` with options, begun; ``before`` are words in front of the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        inside = watched(self.watch)
        inside["PYTHONPATH"] = f"{inside['PYTHONPATH']}{os.pathsep}{INSIDE}"
        env = environment(**inside, STEP_S=str(STEP_S), WITHOUT=self.without, PLANTED=self.planted, **variables)
        words = command("run", self.study, "--store", self.folder / "store", "--tracking-uri", "none", *options)
        log = self.folder / f"run-{len(self.typed) + 1}.log"
        with log.open("w") as stream:
            process = psutil.Popen([*before, *words], cwd=self.folder, env=env, stdout=stream, stderr=stream)
        made = Typed(process=process, log=log)
        self.typed.append(made)
        return made

    def until(self, what: Callable[[], bool], within_s: float = LONGEST_S) -> bool:
        """Whether it happened in time, while a command ran."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if what():
                return True
            for one in self.typed:
                self.seen.update(one.below())
            time.sleep(0.03)
        return False

    def steps(self) -> int:
        return counted_steps(self.watch)

    def trained(self) -> int:
        if not (self.folder / "store" / "LAYOUT").exists():
            return 0
        return sum("/" not in key for key in self.store.done())

    def look(self) -> Strike:
        trained = self.trained()
        return Strike(steps=self.steps(), trained=trained, done=done_files(self.store), at=time.monotonic())

    def in_the_middle(self) -> Strike:
        """Waits until a training is half done, the second one if it can be: then something is done, too."""

        def half_way() -> bool:
            over = self.steps() - STEPS * self.trained()
            return self.trained() >= 1 and STEPS // 4 <= over <= STEPS // 2

        assert self.until(half_way), self.typed[-1].said
        return self.look()

    def worker(self) -> psutil.Process:
        """The Ray worker that holds a stage's lease now."""
        holders = {state.owner.pid for state in self.store.lease_states() if state.live}
        (found,) = [one for one in self.typed[-1].below() if one.pid in holders]
        return found

    def resumed(self) -> list[int]:
        return [step for step in resumed_steps(self.watch) if step > 0]


@contextmanager
def scene(study: Path, folder: Path, **how: str) -> Iterator[Scene]:
    """A scene, after which no process of it is left."""
    made = Scene(study=study, folder=folder, **how)
    try:
        yield made
    finally:
        for one in made.typed:
            made.seen.update(one.below())
            if one.process.poll() is None:
                one.kill()
        for process in made.seen:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)


def check_nothing_lost_and_nothing_twice(made: Scene, strike: Strike, undisturbed: dict[str, Any]) -> None:
    """The same matrix to the bit, what was published before stayed, and at most the interrupted training ran again."""
    assert strike.is_in_the_middle, f"it struck between two stages: {strike.steps} steps, {strike.trained} trainings"
    store = made.store
    assert scores(store) == undisturbed, "another matrix"
    assert strike.done.items() <= done_files(store).items(), "what was done was done again"
    again = made.steps() - STEPS * TRAININGS
    assert 0 <= again <= SINCE_CHECKPOINT, f"{again} steps were taken twice"
    assert not store.leased() and not store.progress_sizes(), "something of the interrupted stage is left"
