"""What tracking costs a study: the same small study with tracking on and off, in turns, and the medians compared.

    python benchmarks/tracking.py FOLDER --pairs 7

Each run fills an empty store of its own, one stage after the other (``--local``), as a user starts it. Compared are the
seconds of training and evaluation as the store holds them, and the time from the first stage's start to the last
one's end, which also holds whatever happens between stages. The start of Python before, and the last
synchronisation with the report after, are in the whole command's time, printed beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from stilts.store import make_store

STUDY = {
    "name": "tracked",
    "encoder": {"path": "tiny"},
    "data": {"source": "toy"},
    "defaults": {
        "intermediate": {"steps": 120, "learning_rate": 1e-3, "limit": 256},
        "target": {"steps": 80, "learning_rate": 1e-3, "limit": 256},
        "encoding": {"max_length": 96, "batch_size": 16, "layer": 1},
        "limits": {"select": 100, "report": 100},
    },
    "intermediates": {"none": None, "mnli": None},
    "targets": {"xnli": {"languages": ["en", "qaa"]}, "udpos": {"languages": ["en", "qaa"]}},
    "resources": {"cpus": 1},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of one run: in stages, from the first stage's start to the last one's end, of the whole command."""

    stages: float
    span: float
    command: float


def run(study: Path, folder: Path, tracking: str) -> Timing:
    """Fills an empty store with the study."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = [sys.executable, "-m", "stilts.cli.main", "run", str(study), "--store", "store", "--local"]
    started = time.monotonic()
    subprocess.run(
        [*words, "--tracking-uri", tracking], cwd=folder, env=_environment(), check=True, stdout=subprocess.DEVNULL
    )
    command = time.monotonic() - started
    store = make_store(str(folder / "store"))
    results = [store.result(key) for key in store.done()]
    return Timing(
        stages=sum(_number(result, "seconds") for result in results),
        span=max(_number(r, "ended") for r in results) - min(_number(r, "started") for r in results),
        command=command,
    )


def _number(result: Mapping[str, object], name: str) -> float:
    return float(str(result[name]))


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return {**ours, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def main() -> None:
    """Prints the seconds of every run and the medians' ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--replicates", type=int, default=2, help="of every cell: how large the study is")
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    given = parser.parse_args()
    study = _study(given.folder.resolve(), given.replicates)
    timings: dict[str, list[Timing]] = {"off": [], "on": []}
    for number in range(given.pairs):
        order = ("off", "on") if number % 2 == 0 else ("on", "off")  # whatever drifts meets both alike
        for name in order:
            uri = "none" if name == "off" else given.tracking_uri
            timing = run(study, given.folder.resolve() / f"run-{name}", uri)
            timings[name].append(timing)
            print(f"{number} {name:3}  stages {timing.stages:6.2f}  span {timing.span:6.2f}  all {timing.command:6.2f}")
    for part in ("stages", "span", "command"):
        off, on = (median(getattr(timing, part) for timing in timings[name]) for name in ("off", "on"))
        print(f"{part:8} median off {off:.2f} s, on {on:.2f} s: {100 * (on / off - 1):+.1f} %")


def _study(folder: Path, replicates: int) -> Path:
    """The study file beside a tiny random encoder."""
    from tests.training.tiny import write_tiny_encoder

    (folder / "tiny").mkdir(parents=True, exist_ok=True)
    write_tiny_encoder(folder / "tiny")
    path = folder / "tracked.yaml"
    path.write_text(json.dumps({**STUDY, "replicates": {"default": {"count": replicates}}}))
    return path


if __name__ == "__main__":
    main()
