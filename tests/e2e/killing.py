"""Runs a study and kills its processes (SIGKILL) at given moments, again and again, until it has finished."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil

from stilts.store.store import Store
from tests.e2e.studies import command, environment
from tests.e2e.watching import arm, watched

LONGEST_S = 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Who dies and when: so many seconds after a stage has begun, or inside a write of the store."""

    who: Literal["worker", "driver"]
    when: Literal["any time", "checkpoint", "publish"]
    delay_s: float = 0.0
    how: Literal["link", "copy"] = "link"
    after: bool = False


@dataclass(kw_only=True)
class KilledRun:
    """What happened: the kills that were placed, how often the command was typed, and what was done at each kill."""

    log: list[str] = field(default_factory=list)
    commands: int = 0
    finished_before: list[dict[str, bytes]] = field(default_factory=list)
    placed: list[Kill] = field(default_factory=list)
    last: subprocess.CompletedProcess[str] | None = None

    def count(self, *, who: str | None = None, when: str | None = None) -> int:
        return sum(who in (None, kill.who) and when in (None, kill.when) for kill in self.placed)


def random_kills(seed: int, wanted: Sequence[tuple[str, str]]) -> list[Kill]:
    """The wanted (who, when) in random order with random moments, the same for the same seed."""
    draw = random.Random(seed)
    kills = [
        Kill(
            who=who,  # type: ignore[arg-type]
            when=when,  # type: ignore[arg-type]
            delay_s=round(draw.uniform(0.0, 1.5), 2),
            how=draw.choice(["link", "copy"]) if when == "checkpoint" else "link",  # type: ignore[arg-type]
            after=draw.random() < 0.3,
        )
        for who, when in wanted
    ]
    draw.shuffle(kills)
    return kills


def run_and_kill(study: Path, store: Store, folder: Path, kills: Sequence[Kill], *options: object) -> KilledRun:
    """Types the same command again after each death of the driver, until it ends by itself."""
    happened, left = KilledRun(), list(kills)
    env, until = environment(**watched(folder / "watch")), time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        happened.commands += 1
        with (folder / f"run-{happened.commands}.log").open("w") as log:
            driver = psutil.Popen(
                command("run", study, "--store", store.url, "--tracking-uri", "none", "--json", *options),
                cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
            try:
                while left and driver.poll() is None and time.monotonic() < until:
                    if _place(left[0], driver, store, folder, len(happened.placed), happened):
                        happened.placed.append(left.pop(0))
                out, _ = driver.communicate(timeout=max(1.0, until - time.monotonic()))
            finally:
                _end(driver, happened)
        err = (folder / f"run-{happened.commands}.log").read_text()
        happened.last = subprocess.CompletedProcess(driver.args, driver.returncode, out, err)
        if driver.returncode >= 0 and not (left or err.count("failed ")):
            break
        if driver.returncode == 0:
            break
    return happened


def _place(kill: Kill, driver: psutil.Popen, store: Store, folder: Path, number: int, happened: KilledRun) -> bool:
    """Whether the kill was placed before the driver ended by itself."""
    if not _wait(lambda: bool(_working(driver, store)), driver):
        return False
    happened.finished_before.append(done_files(store))
    if kill.when == "any time":
        time.sleep(kill.delay_s)
        victims = [driver.pid] if kill.who == "driver" else _working(driver, store)[:1]
        if not victims or driver.poll() is not None:
            return False
        psutil.Process(victims[0]).kill()
        happened.log.append(f"{kill} -> pid {victims[0]}")
    else:
        where = "/progress/" if kill.when == "checkpoint" else "/stages/"
        pid = driver.pid if kill.who == "driver" else None
        after = kill.after and kill.how == "link"
        armed = arm(folder / "watch", number, where=where, how=kill.how, after=after, pid=pid)
        if not _wait(lambda: not armed.exists(), driver):
            armed.unlink(missing_ok=True)
            return not armed.with_name(armed.name.replace("armed", "hit")).exists() and False
        happened.log.append(f"{kill} -> hit")
    if kill.who == "driver":
        driver.wait(timeout=30)
    return True


def _working(driver: psutil.Popen, store: Store) -> list[int]:
    """Ray workers below the driver that hold a stage's lease now."""
    holders = {state.owner.pid for state in store.lease_states() if state.live}
    found = []
    for child in _below(driver):
        try:
            if child.pid in holders and "ray::" in " ".join(child.cmdline()):
                found.append(child.pid)
        except psutil.Error:
            continue
    return sorted(found)


def _below(driver: psutil.Popen) -> list[psutil.Process]:
    try:
        return driver.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _wait(ready: Callable[[], bool], driver: psutil.Popen) -> bool:
    """Whether it became true while the driver lived."""
    while not ready():
        if driver.poll() is not None:
            return ready()
        time.sleep(0.02)
    return True


def _end(driver: psutil.Popen, happened: KilledRun) -> None:
    """Leaves no process of this run behind."""
    if driver.poll() is None:
        happened.log.append("stopped by the test: it took too long")
        for process in [*_below(driver), driver]:
            process.kill()
        driver.wait(timeout=30)


def done_files(store: Store) -> dict[str, bytes]:
    """What says of each finished key that it is finished, and by which attempt."""
    root = Path(store.url) / "stages"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("done*.json"))}
