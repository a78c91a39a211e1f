"""Seconds that a large study takes to open, filter and sort in MLflow's pages, in a real browser.

    python benchmarks/synthetic_study.py STORE
    stilts track --store STORE --tracking-uri sqlite:////tmp/large/mlflow.db
    python -m benchmarks.browser synthetic --tracking-uri sqlite:////tmp/large/mlflow.db

It starts ``stilts ui`` and headless Chromium, both ended with it. Each figure is the time from the action to the rows
that it asks for, checked row by row, and the CPU seconds that server and browser took for it together: on a machine
that does other things too, only these say much. ``--times`` repeats all of it, each time with an empty browser.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.browser.chromium import chromium
from tests.browser.mlflow_ui import MLflowUi
from tests.browser.server import mlflow_server

PAGE = 100  # runs that MLflow's table asks for at once


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of all processors."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of CPU)"


def measured(ui: MLflowUi, target: str) -> Iterator[tuple[str, Cost]]:
    """What a reader does one after the other, each with its cost."""
    ui.forget()
    yield "runs page: first rows", cost_of(ui.open_runs)
    yield "runs below the parent", cost_of(lambda: ui.unfold(ui.experiment))
    yield f"filter tags.target = '{target}'", cost_of(lambda: filtered(ui, target))
    ui.forget()
    ui.open_runs()
    ui.show_column("gain")
    yield "sorted by gain", cost_of(lambda: sorted_by_gain(ui))
    ui.forget()
    yield "parent run: note", cost_of(lambda: (ui.open_parent(), ui.note_in_sight()))


def filtered(ui: MLflowUi, target: str) -> None:
    def only_those() -> bool:
        below = [name for name, _ in ui.names() if name != ui.experiment]
        return len(below) > 1 and all(f"> {target}" in name for name in below)

    ui.filter(f"tags.target = '{target}'")
    ui.browser.wait(f"runs of {target}", only_those)


def sorted_by_gain(ui: MLflowUi) -> None:
    def in_order() -> bool:
        gains = [float(text) for text in ui.column("gain") if text not in ("", "-")]
        return len(gains) >= PAGE and gains == sorted(gains, reverse=True)

    ui.sort("gain")
    ui.browser.wait("gains in order", in_order)


def cost_of(act: Callable[[], object]) -> Cost:
    started, cpu = time.monotonic(), cpu_seconds()
    act()
    return Cost(time.monotonic() - started, cpu_seconds() - cpu)


def cpu_seconds() -> float:
    """What this process, the server and the browser have used so far."""
    me = psutil.Process()
    used = [each.cpu_times() for each in (me, *me.children(recursive=True)) if each.is_running()]
    return sum(each.user + each.system for each in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("--tracking-uri", required=True)
    parser.add_argument("--target", default="target03")
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    found: dict[str, list[Cost]] = {}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder), given.tracking_uri) as address:
        print(f"the server answers: {time.monotonic() - started:.1f} s", flush=True)
        for _ in range(given.times):
            with chromium(width=1600) as browser:
                for what, cost in measured(MLflowUi(browser, address, given.study), given.target):
                    found.setdefault(what, []).append(cost)
                    print(f"{what}: {cost}", flush=True)
    for what, costs in found.items():
        middle = sorted(costs, key=lambda cost: cost.wall)[len(costs) // 2]
        print(f"{what:34} median {middle}")


if __name__ == "__main__":
    main()
