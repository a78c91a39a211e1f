"""Stages that hold different amounts, through Tune: nothing is overdrawn, processes stay warm, and nothing hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

# A run in a process of its own, which a hang cannot outlive. Stages write what their process was given, and when.
SCRIPT = """
import json, sys
sys.path.insert(0, {root!r})
import ray
from ray.util import placement_group_table
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import FakeSource, FakeStage, ProbingExecutor

stages = [FakeStage(**fields) for fields in json.loads({stages!r})]
with ray_cluster(RaySettings(address="local", num_cpus={cpus}, num_gpus={gpus})):
    report = run_stages(
        FakeSource(stages=stages),
        execute=ProbingExecutor(folder={folder!r}, seconds=0.2),
        settings=RaySettings(max_gpus={max_gpus}),
    )
    left = [group["state"] for group in placement_group_table().values() if group["state"] != "REMOVED"]
    print(json.dumps({{"done": report.done, "failed": report.failed, "groups": left}}))
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one stage's process saw: what Ray assigned to it, where, and from when to when."""

    stage_id: str
    cpus: float
    gpus: float
    visible: tuple[str, ...]
    pid: int
    start: float
    end: float


def run(folder: Path, stages: list[dict[str, object]], *, max_gpus: float | None = None, **cluster: int) -> list[Ran]:
    """The stages' probes, once the run has ended, with all stages done and no placement group or process left."""
    fields = {"root": str(Path(__file__).parents[2]), "folder": str(folder), "stages": json.dumps(stages)}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(**fields, max_gpus=max_gpus, **cluster)],
        capture_output=True,
        text=True,
        timeout=240,
        env={name: value for name, value in os.environ.items() if name not in ("RAY_ADDRESS", "CUDA_VISIBLE_DEVICES")},
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (sorted(said["done"]), said["failed"], said["groups"]) == (sorted(one["stage_id"] for one in stages), {}, [])
    ran = [Ran(**json.loads(line)) for path in folder.iterdir() for line in path.read_text().splitlines()]
    assert len(ran) == len(stages), "each stage was run once"
    alive = [psutil.Process(pid) for pid in {one.pid for one in ran} if psutil.pid_exists(pid)]
    assert not psutil.wait_procs(alive, timeout=20)[1], "Ray ends its workers within seconds of its own end"
    return sorted(ran, key=lambda one: one.start)


def most_at_once(ran: list[Ran], held: str) -> float:
    """The most that stages held together at any time."""
    return max(sum(getattr(one, held) for one in ran if one.start <= at.start < one.end) for at in ran)


def stage(name: str, parent: str | None = None, *, cpus: float = 1.0, gpus: float = 0.0) -> dict[str, object]:
    return {"stage_id": name, "parent": parent, "cpus": cpus, "gpus": gpus}


@pytest.mark.timeout(300)
def test_stages_of_a_half_one_and_two_cpus_end_in_warm_processes(tmp_path: Path) -> None:
    wide = [stage(f"train-{row}", cpus=2.0) for row in range(3)]
    tuned = [stage(f"tune-{row}.{k}", f"train-{row}", cpus=1.0) for row in range(3) for k in range(3)]
    scored = [stage(f"evaluate-{row}.{k}", f"tune-{row}.{k}", cpus=0.5) for row in range(3) for k in range(3)]
    ran = run(tmp_path, [*wide, *tuned, *scored], cpus=3, gpus=0)
    held = {one["stage_id"]: one["cpus"] for one in [*wide, *tuned, *scored]}
    assert {one.stage_id: one.cpus for one in ran} == held
    assert most_at_once(ran, "cpus") <= 3.0
    for class_ in (2.0, 1.0, 0.5):
        own = [one for one in ran if one.cpus == class_]
        assert len({one.pid for one in own}) < len(own), f"no process of {class_} CPUs was used again"
    assert len({(one.pid, one.cpus) for one in ran}) == len({one.pid for one in ran}), "a process keeps to its class"
    assert len({one.pid for one in ran}) <= 12, "of 21 stages most found a warm process"


@pytest.mark.timeout(300)
def test_parts_of_a_gpu_whole_ones_and_none_share_a_machine(tmp_path: Path) -> None:
    stages = [stage(f"train-{row}", cpus=0.5, gpus=2.0) for row in range(2)]
    stages += [stage(f"tune-{row}.{k}", f"train-{row}", cpus=0.5, gpus=1.0) for row in range(2) for k in range(3)]
    stages += [
        stage(f"evaluate-{row}.{k}", f"tune-{row}.{k}", cpus=0.5, gpus=0.5) for row in range(2) for k in range(3)
    ]
    stages += [stage(f"estimate-{k}", cpus=0.5) for k in range(4)]
    ran = run(tmp_path, stages, cpus=4, gpus=2)
    assert {one.stage_id: one.gpus for one in ran} == {one["stage_id"]: one["gpus"] for one in stages}
    assert most_at_once(ran, "gpus") <= 2.0
    assert {len(one.visible) for one in ran if one.gpus == 2.0} == {2}
    assert {len(one.visible) for one in ran if 0 < one.gpus <= 1.0} == {1}
    assert not any(one.visible for one in ran if not one.gpus), "a stage on CPUs was given a GPU"
    for gpu in ("0", "1"):
        whole = [one for one in ran if gpu in one.visible and one.gpus >= 1.0]
        assert all(one.end <= later.start for one, later in pairwise(whole)), "two stages had a whole GPU at once"


@pytest.mark.timeout(300)
def test_max_gpus_bounds_all_classes_together_and_starves_none(tmp_path: Path) -> None:
    stages = [stage(f"small-{k}", cpus=0.5, gpus=0.5) for k in range(8)]
    stages = [*stages[:2], stage("large", cpus=0.5, gpus=1.0), *stages[2:]]
    ran = run(tmp_path, stages, cpus=4, gpus=2, max_gpus=1.0)
    assert most_at_once(ran, "gpus") <= 1.0
    assert [one.stage_id for one in ran].index("large") <= 3, "small stages went on ahead of it"


# A node whose CPUs somebody else holds is taken away while a stage waits for it.
GOING = """
import json, sys, threading, time
sys.path.insert(0, {root!r})
import ray
from ray.cluster_utils import Cluster
from ray.util.placement_group import placement_group
from stilts.scheduling import searcher
from stilts.scheduling.cluster import RaySettings
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import FakeSource, FakeStage, ProbingExecutor

searcher._NODES_EVERY_S = 1.0
cluster = Cluster(initialize_head=True, head_node_args={{"num_cpus": 1, "include_dashboard": False}})
going = cluster.add_node(num_cpus=3)
ray.init(address=cluster.address, logging_level=40, log_to_driver=False)
others = placement_group([{{"CPU": 3}}], bundle_label_selector=[{{"ray.io/node-id": going.node_id}}])
assert others.wait(30)
threading.Timer(8.0, cluster.remove_node, [going]).start()
stages = [FakeStage("first", cpus=1.0), FakeStage("second", cpus=1.0), FakeStage("third", "first", cpus=0.5)]
report = run_stages(
    FakeSource(stages=stages), execute=ProbingExecutor(folder={folder!r}, seconds=0.2), settings=RaySettings()
)
print(json.dumps({{"done": report.done, "failed": report.failed}}))
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_stage_that_waits_on_a_node_that_goes_is_run_on_another(tmp_path: Path) -> None:
    script = GOING.format(root=str(Path(__file__).parents[2]), folder=str(tmp_path))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, env=clean)
    assert ended.returncode == 0, ended.stderr[-2000:]
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (sorted(said["done"]), said["failed"]) == (["first", "second", "third"], {})
