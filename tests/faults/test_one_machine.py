"""Each fault of ``table.py`` strikes a study in the middle of a stage; the matrix is that of an undisturbed run.

With the recovery switched off the same test fails. Set ``STILTS_FAULTS_OUT`` to a file for a line of each (JSON).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.studies import scores
from tests.faults.table import FAULTS, OFTEN, SILENT_S, Fault, faketime_is_there, on_small_disk
from tests.faults.world import (
    LONGEST_S,
    STEPS,
    TRAININGS,
    Scene,
    Strike,
    check_nothing_lost_and_nothing_twice,
    scene,
    study_in,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study_in(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with scene(study, tmp_path_factory.mktemp("undisturbed")) as made:
        assert made.type("--local").ended() == 0, made.typed[-1].said
        assert made.steps() == STEPS * TRAININGS
        return scores(made.store)


@dataclass(frozen=True, kw_only=True)
class Struck:
    """What became of it: exit statuses, and seconds from the fault to the next step."""

    strike: Strike
    statuses: list[int | None]
    lost_s: float


@contextmanager
def placed(fault: Fault, study: Path, folder: Path, *, without: str = "") -> Iterator[Scene]:
    """The scene of a fault; skips where this machine cannot inject it."""
    if fault.name == "clocks apart" and not faketime_is_there():
        pytest.skip("no faketime: apt-get install faketime")
    if fault.name == "a stage hangs":
        study = study_in(folder / "impatient", resources={"cpus": 1, "silent_s": float(SILENT_S)})
    with scene(study, folder / "it", without=without) as made:
        mounted = fault.name == "the disk is full" and on_small_disk(made)
        if fault.name == "the disk is full" and not mounted:
            pytest.skip("this user may not mount a disk of memory")
        try:
            yield made
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", str(made.folder / "store")], check=True)


def strike(fault: Fault, made: Scene, within_s: float = LONGEST_S) -> Struck:
    """Runs the study, injects the fault half-way through a training, and waits for all that was typed."""
    first = made.type(*fault.options, *OFTEN)
    seen = made.in_the_middle()
    fault.inject(made, seen)
    if fault.again:
        ended = [first.ended()]
        second = made.type(*fault.options, *OFTEN)
        made.until(lambda: made.steps() > seen.steps or second.process.poll() is not None)
        lost_s = time.monotonic() - seen.at
        return Struck(strike=seen, statuses=[*ended, second.ended()], lost_s=lost_s)
    made.until(lambda: made.steps() > seen.steps or first.process.poll() is not None, 90)
    lost_s = time.monotonic() - seen.at
    return Struck(strike=seen, statuses=[first.ended(within_s)], lost_s=lost_s)


def check(fault: Fault, made: Scene, struck: Struck, undisturbed: dict[str, Any]) -> None:
    wanted = [fault.first_ends, (0,)] if fault.again else [fault.first_ends]
    for status, allowed, typed in zip(struck.statuses, wanted, made.typed, strict=False):
        assert status in allowed, f"status {status}: {typed.said}"
    assert fault.said in made.typed[0].said, made.typed[0].said
    said = "".join(one.said for one in made.typed)
    assert "Traceback" not in said and not (fault.unsaid and fault.unsaid in said), said
    check_nothing_lost_and_nothing_twice(made, struck.strike, undisturbed)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_it_ends_in_the_same_matrix(fault: Fault, study: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with placed(fault, study, tmp_path) as made:
        struck = strike(fault, made)
        check(fault, made, struck, undisturbed)
        tell(fault, made, struck)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_without_its_recovery_it_fails(fault: Fault, study: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with placed(fault, study, tmp_path, without=fault.recovery) as made:
        with pytest.raises(AssertionError) as failed:
            # Nobody ends what hangs: that it does not go on for so long is seen, and the test does not wait longer.
            within_s = 3.0 * SILENT_S if fault.recovery == "silence" else LONGEST_S
            check(fault, made, strike(fault, made, within_s), undisturbed)
        assert "between two stages" not in str(failed.value)
        print(f"{fault.name}, without {fault.recovery}: {str(failed.value).partition(chr(10))[0]}")


def tell(fault: Fault, made: Scene, struck: Struck) -> None:
    again = made.steps() - STEPS * TRAININGS
    told = {
        "fault": fault.name,
        "steps again": again,
        "went on from": made.resumed(),
        "lost_s": round(struck.lost_s, 1),
    }
    print(told)
    if out := os.environ.get("STILTS_FAULTS_OUT"):
        with open(out, "a") as stream:
            stream.write(json.dumps(told) + "\n")
