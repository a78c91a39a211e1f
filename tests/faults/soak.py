"""A long run on three nodes of this machine whose workers and nodes die all the time: ``make soak``.

    python -m tests.faults.soak --stages 300 --worker-every 20 --node-every 180 --again-after 10 --step-seconds 1.5

It prints what it saw and ends with status 1 where something does not hold: every stage done, the matrix of an
undisturbed run, no process and no placement group left, the memory of the driver flat.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import psutil

from tests.e2e.ray_head import RayHead, ray_head, ray_node
from tests.e2e.studies import command, opened, scores, stilts, tiny_study
from tests.e2e.watching import counted_steps
from tests.faults.world import INSIDE

NODES, STEPS = 3, 6
# Stages of a replicate: a row's training, two of the column, an evaluation of each.
OF_A_REPLICATE, TRAININGS = 5, 3
# What the driver may grow by from its second quarter to its last: lists of what is done, and nothing that adds up.
MOST_MORE_MIB = 60.0
_GROUPS = """
import json, ray
from ray.util import placement_group_table
ray.init(address="{gcs}", logging_level="ERROR", log_to_driver=False)
print(json.dumps([one["state"] for one in placement_group_table().values()]))
"""


@dataclass(kw_only=True)
class Soak:
    """What happens to the nodes while a driver runs, and what was seen of it."""

    head: RayHead
    folder: Path
    stack: ExitStack
    draw: random.Random
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    workers_killed: int = 0
    nodes_killed: int = 0
    driver_mib: list[float] = field(default_factory=list)

    def begin(self) -> None:
        for _ in range(NODES):
            self._start_node()

    def watch(self, driver: psutil.Popen, asked: argparse.Namespace) -> None:
        """Until the driver ends: kills, starts nodes again, and looks at the driver's memory."""
        worker_at, node_at = time.monotonic() + asked.worker_every, time.monotonic() + asked.node_every
        until = time.monotonic() + asked.longest
        while driver.poll() is None:
            now = time.monotonic()
            if now > until:
                driver.kill()
            with suppress(psutil.Error):
                self.driver_mib.append(driver.memory_info().rss / 2**20)
            if now >= worker_at and self._kill_worker():
                worker_at = now + asked.worker_every
            if now >= node_at:
                node_at = now + asked.node_every
                self._kill_node()
                self.due.append(now + asked.again_after)
            if self.due and now >= self.due[0]:
                self.due.pop(0)
                self._start_node()
            time.sleep(0.5)

    def working(self) -> list[psutil.Process]:
        """The processes in which stages run now, or did."""
        found = []
        for node in self.nodes:
            with suppress(psutil.Error):
                below = psutil.Process(node.pid).children(recursive=True)
                found += [one for one in below if "ResourceTrainable" in _said(one)]
        return found

    def _start_node(self) -> None:
        self.nodes.append(self.stack.enter_context(ray_node(self.head, self.folder)))

    def _kill_worker(self) -> bool:
        victims = self.working()
        if not victims:
            return False
        with suppress(psutil.Error):
            self.draw.choice(victims).kill()
            self.workers_killed += 1
        return True

    def _kill_node(self) -> None:
        node = self.nodes.pop(self.draw.randrange(len(self.nodes)))
        processes = [psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)]
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
        self.nodes_killed += 1


def soak(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What was seen: exit status, kills, whether the matrix is equal, what was left, the driver's memory in MiB."""
    train = {"steps": STEPS, "learning_rate": 1e-3, "limit": 32}
    defaults = {
        "intermediate": train,
        "target": train,
        "encoding": {"max_length": 32, "batch_size": 4, "layer": 1},
        "limits": {"select": 8, "report": 8},
    }
    study = tiny_study(
        folder,
        defaults=defaults,
        targets={"udpos": {"languages": ["en"]}},
        replicates={"default": {"count": -(-asked.stages // OF_A_REPLICATE)}},
    )
    words = ["run", study, "--tracking-uri", "none", "--keep-weights", "--store"]
    here, there = folder / "undisturbed", folder / "store"
    begun = time.monotonic()
    assert stilts(*words, here, "--local", cwd=folder).returncode == 0
    undisturbed_s = time.monotonic() - begun
    path = os.pathsep.join(part for part in (os.environ.get("PYTHONPATH", ""), str(INSIDE)) if part)
    slowly = mock.patch.dict(os.environ, PYTHONPATH=path, STEP_S=str(asked.step_seconds))
    with slowly, ray_head(folder, num_cpus=0) as head, ExitStack() as stack:
        made = Soak(head=head, folder=folder, stack=stack, draw=random.Random(asked.seed))
        made.begin()
        begun = time.monotonic()
        with (folder / "run.log").open("w") as log:
            driver = psutil.Popen(
                [*command(*words, there), "--address", head.gcs], cwd=folder, env=head.node_env, stdout=log, stderr=log
            )
            made.watch(driver, asked)
        seconds = time.monotonic() - begun
        left = _ended(made)
        groups = subprocess.run(
            [sys.executable, "-c", _GROUPS.format(gcs=head.gcs)], env=head.node_env, capture_output=True, text=True
        )
    store, planned = opened(there), TRAININGS * STEPS * -(-asked.stages // OF_A_REPLICATE)
    quarter = max(1, len(made.driver_mib) // 4)
    return {
        "status": driver.returncode,
        "stages": len({key.split("/")[0] for key in store.done()}),
        "asked": len({key.split("/")[0] for key in opened(here).done()}),
        "equal": scores(store) == scores(opened(here)),
        "workers killed": made.workers_killed,
        "nodes killed": made.nodes_killed,
        "seconds": round(seconds),
        "seconds undisturbed, one by one": round(undisturbed_s),
        "steps again": counted_steps(folder / "watch") - planned,
        "workers left": left,
        "placement groups left": [one for one in json.loads(groups.stdout.splitlines()[-1]) if one != "REMOVED"],
        "driver MiB, second and last quarter": [
            round(median(part)) for part in (made.driver_mib[quarter : 2 * quarter], made.driver_mib[-quarter:]) if part
        ],
    }


def holds(seen: dict[str, Any]) -> bool:
    """Whether all that is asked of a soak was seen, and nodes did die."""
    early, late = (*seen["driver MiB, second and last quarter"], 0, 0)[:2]
    nothing_left = not seen["workers left"] and not seen["placement groups left"]
    is_done = seen["status"] == 0 and seen["stages"] == seen["asked"] and seen["equal"]
    return bool(is_done and nothing_left and seen["nodes killed"] and late - early < MOST_MORE_MIB)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", type=int, default=300)
    parser.add_argument("--worker-every", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--node-every", type=float, default=180.0, metavar="SECONDS")
    parser.add_argument("--again-after", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--step-seconds", type=float, default=1.5, help="so much longer takes each optimizer step")
    parser.add_argument("--longest", type=float, default=7200.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(words)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="stilts-soak-") as folder:
        seen = soak(arguments(), Path(folder))
        print(json.dumps(seen, indent=2))
        if not holds(seen):
            print((Path(folder) / "run.log").read_text()[-4000:])
    return 0 if holds(seen) else 1


def _ended(made: Soak) -> list[str]:
    """Processes of stages that are there half a minute after their driver has ended."""
    deadline = time.monotonic() + 30
    while made.working() and time.monotonic() < deadline:
        time.sleep(0.5)
    return [_said(one) for one in made.working()]


def _said(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


if __name__ == "__main__":
    sys.exit(main())
