"""A head of two CPUs keeps 64 GPUs busy, as Ray simulates them: benchmarks/many_gpus.py has figures for longer runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.many_gpus import idle_share
from tests.e2e.studies import ROOT


def test_idle_time_is_what_no_stage_holds() -> None:
    full = [(start, start + 10.0) for start in (0.0, 10.0, 20.0) for _ in range(2)]
    assert idle_share(full, 2, warm=False) == pytest.approx(0.0)
    late = [(0.0, 10.0), (0.0, 10.0), (15.0, 25.0), (15.0, 25.0), (25.0, 35.0), (25.0, 35.0)]
    assert idle_share(late, 2, warm=True) == pytest.approx(5 / 25)
    slow = [(0.0, 10.0), (5.0, 15.0), (10.0, 20.0), (15.0, 25.0), (20.0, 30.0), (25.0, 35.0)]
    assert idle_share(slow, 2, warm=False) == pytest.approx(5 / 40) and idle_share(slow, 2, warm=True) == 0.0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_64_gpus_are_idle_for_less_than_a_tenth_of_their_time() -> None:
    words = [sys.executable, "-m", "benchmarks.many_gpus", "--rounds", "4", "--seconds", "60"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-2000:]
    shares = [
        float(line.rpartition(" ")[2].rstrip("%")) for line in done.stdout.splitlines() if line.startswith("idle")
    ]
    assert len(shares) == 2 and shares[1] < 10.0
