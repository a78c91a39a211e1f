"""Runs a study and kills its processes (SIGKILL) at given moments, again and again, until it has finished."""

from __future__ import annotations

import random
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
    orphans: list[str] = field(default_factory=list)
    status: int | None = None
    said: str = ""

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
    """Types the same command again after each death of the driver, until it ends well or refuses its input."""
    happened, left, until = KilledRun(), list(kills), time.monotonic() + LONGEST_S
    in_vain = 0
    while time.monotonic() < until:
        happened.commands += 1
        placed = len(happened.placed)
        _one_command(study, store, folder, left, happened, until, options)
        happened.log.append(f"command {happened.commands} ended with status {happened.status}")
        in_vain = 0 if len(happened.placed) > placed else in_vain + 1
        if happened.status in (0, 2) or in_vain > 2:
            break
    return happened


def _one_command(
    study: Path,
    store: Store,
    folder: Path,
    left: list[Kill],
    happened: KilledRun,
    until: float,
    options: Sequence[object],
) -> None:
    words = command("run", study, "--store", store.url, "--tracking-uri", "none", "--json", *options)
    with (folder / f"run-{happened.commands}.log").open("w") as log:
        driver = psutil.Popen(words, cwd=folder, env=environment(**watched(folder / "watch")), stdout=log, stderr=log)
        below: set[psutil.Process] = set()
        try:
            while driver.poll() is None and time.monotonic() < until:
                below.update(_below(driver))
                if left and _place(left[0], driver, store, folder, happened, until):
                    happened.placed.append(left.pop(0))
                time.sleep(0.1)
        finally:
            _end(driver, below, happened)
        happened.status = driver.returncode
    happened.said = (folder / f"run-{happened.commands}.log").read_text()


def _place(kill: Kill, driver: psutil.Popen, store: Store, folder: Path, happened: KilledRun, until: float) -> bool:
    """Whether the kill was placed before the driver ended by itself."""

    def comes(ready: Callable[[], bool]) -> bool:
        while not ready():
            if driver.poll() is not None or time.monotonic() > until:
                return ready()
            time.sleep(0.02)
        return True

    trained = 3 * len(happened.placed) // 4  # spreads the kills over the study's train stages
    if not comes(lambda: bool(_working(driver, store)) and _num_trained(store) >= trained):
        return False
    before = done_files(store)
    if kill.when == "any time":
        time.sleep(kill.delay_s)
        victims = [driver.pid] if kill.who == "driver" else _working(driver, store)[:1]
        if not victims or driver.poll() is not None:
            return False
        psutil.Process(victims[0]).kill()
    else:
        where = "/progress/" if kill.when == "checkpoint" else "/done"
        pid = driver.pid if kill.who == "driver" else None
        after = kill.after and kill.how == "link"
        armed = arm(folder / "watch", len(happened.placed), where=where, how=kill.how, after=after, pid=pid)
        if not comes(lambda: not armed.exists()):
            armed.unlink(missing_ok=True)
            return False
    if kill.who == "driver":
        driver.wait(timeout=30)
    happened.finished_before.append(before)
    happened.log.append(f"killed {kill.who}, {kill}, {len(before)} keys were done")
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


def _end(driver: psutil.Popen, below: set[psutil.Process], happened: KilledRun) -> None:
    """Leaves no process of this run behind: a local cluster ends with its driver, at the latest after a while."""
    if driver.poll() is None:
        happened.log.append("stopped by the test: it took too long")
        below.update(_below(driver))
        driver.kill()
    driver.wait(timeout=30)
    alive, until = below, time.monotonic() + 45
    while alive and not all(map(_is_agent, alive)) and time.monotonic() < until:
        _, alive = psutil.wait_procs(alive, timeout=1.0)
    for process in alive:
        try:
            happened.orphans += [] if _is_agent(process) else [" ".join(process.cmdline())]
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _is_agent(process: psutil.Process) -> bool:
    """Whether this is one of Ray's two agents of a node: they idle on, sometimes for minutes, after a killed driver."""
    try:
        return "Agent" in " ".join(process.cmdline())
    except psutil.Error:
        return True  # gone


def _num_trained(store: Store) -> int:
    return sum("/" not in key for key in store.done())


def done_files(store: Store) -> dict[str, bytes]:
    """What says of each finished key that it is finished, and by which attempt."""
    root = Path(store.url) / "stages"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("done*.json"))}
