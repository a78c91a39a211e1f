"""How busy a small head keeps many GPUs: stages that only wait, through Ray Tune, on GPUs that Ray simulates.

Each stage holds one GPU and 0.03 CPUs, and lasts as long as is said: what is measured is how soon the driver, on two
CPUs, gives a GPU that is free its next stage. Idle time is counted from the moment at which the last GPU has its first
stage, and from the first stage of all, to the start of the last stages, as many as there are GPUs.
Run: python -m benchmarks.many_gpus [--gpus 64] [--rounds 6] [--seconds 60]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import FakeSource, FakeStage, ProbingExecutor

Span = tuple[float, float]


def idle_share(spans: Sequence[Span], gpus: int, *, warm: bool) -> float:
    """The share, 0 to 1, of the GPUs' time in which no stage held them, until the last ``gpus`` stages start.

    ``spans`` are the stages' starts and ends. ``warm`` counts from when every GPU has had its first stage on.
    """
    starts = sorted(start for start, _ in spans)
    begin, end = starts[gpus - 1 if warm else 0], starts[-gpus]
    busy = sum(max(0.0, min(stop, end) - max(start, begin)) for start, stop in spans)
    return 1.0 - busy / (gpus * (end - begin))


def measured(gpus: int, rounds: int, seconds: float, folder: Path) -> list[Span]:
    """When each stage ran, in unix seconds, all of them done."""
    stages = [FakeStage(f"stage-{number}", cpus=0.03, gpus=1.0) for number in range(gpus * rounds)]
    with ray_cluster(RaySettings(address="local", num_cpus=2, num_gpus=gpus)):
        report = run_stages(FakeSource(stages=stages), execute=ProbingExecutor(folder=str(folder), seconds=seconds))
    assert len(report.done) == len(stages), report
    probes = [json.loads(line) for path in folder.iterdir() for line in path.read_text().splitlines()]
    assert len(probes) == len(stages), "each stage was run once"
    return [(one["start"], one["end"]) for one in probes]


def main() -> None:
    """Prints the idle shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    begun = time.time()
    with tempfile.TemporaryDirectory() as folder:
        spans = measured(given.gpus, given.rounds, given.seconds, Path(folder))
    starts = sorted(start for start, _ in spans)
    print(f"{len(spans)} stages of {given.seconds:g} s on {given.gpus} GPUs in {time.time() - begun:.0f} s")
    print(
        f"first stage after {starts[0] - begun:.1f} s, every GPU's first after {starts[given.gpus - 1] - begun:.1f} s"
    )
    for name, warm in (("with the start of all workers", False), ("once every GPU had a stage", True)):
        print(f"idle {name}, until the last {given.gpus} stages: {idle_share(spans, given.gpus, warm=warm):.1%}")


if __name__ == "__main__":
    main()
