"""A node that Ray drains, as a spot machine's notice has it do: its stages go on elsewhere, and it may end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stilts.scheduling.desk import Desk
from stilts.scheduling.events import Event, Happening, StageEvent
from stilts.scheduling.floor import Floor
from stilts.study.slots import Node
from tests.scheduling.fakes import FakeSource, FakeStage

# A cluster of two nodes of one CPU beside a head without, and a stage on each. One is told to go while they work; it
# has a minute, and ends by itself once nothing of the run is left there.
SCRIPT = """
import json, sys, threading, time
from pathlib import Path
sys.path.insert(0, {root!r})
import ray
from ray._raylet import GcsClient
from ray.cluster_utils import Cluster
from ray.core.generated import autoscaler_pb2
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.events import StageEvent
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import FakeSource, FakeStage, SteppingExecutor

cluster = Cluster(initialize_head=True, head_node_args={{"num_cpus": 0}})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
events, ended, SEEN = [], [], Path({folder!r})

def notice():
    while not (SEEN / "train-0").exists():
        time.sleep(0.1)
    node = json.loads((SEEN / "train-0").read_text())["node"]
    gcs = GcsClient(address=cluster.address)
    deadline = int((time.time() + 60) * 1000)
    reason = autoscaler_pb2.DRAIN_NODE_REASON_PREEMPTION
    accepted, why = gcs.drain_node(node, reason, "taken back", deadline)
    assert accepted, why
    told = time.time()
    while any(one["Alive"] and one["NodeID"] == node for one in ray.nodes()) and time.time() < told + 55:
        time.sleep(0.2)
    ended.append({{"node": node, "told": told, "after": time.time() - told}})

with ray_cluster(RaySettings(address=cluster.address)):
    thread = threading.Thread(target=notice)
    thread.start()
    report = run_stages(
        FakeSource(stages=[FakeStage("train-0"), FakeStage("train-1")]),
        execute=SteppingExecutor(folder={folder!r}, steps=60),
        settings=RaySettings(address=cluster.address),
        on_event=events.append,
    )
    thread.join(70)
said = [(one.happening.value, one.stage_id, one.message) for one in events if isinstance(one, StageEvent)]
print(json.dumps({{"done": sorted(report.done), "failed": report.failed, "said": said, "ended": ended}}))
cluster.shutdown()
"""


@pytest.mark.slow
def test_a_stage_on_a_node_that_is_taken_back_goes_on_elsewhere(tmp_path: Path) -> None:
    fields = {"root": str(Path(__file__).parents[2]), "folder": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(**fields)],
        capture_output=True,
        text=True,
        timeout=300,
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (said["done"], said["failed"]) == (["train-0", "train-1"], {})
    [gone] = said["ended"]
    tries = {path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in tmp_path.iterdir()}
    [(moved, ran)] = [(name, each) for name, each in tries.items() if len(each) > 1]
    first, second = ran
    assert first["node"] == gone["node"] != second["node"]
    assert first["steps"] < 60 and first["steps"] + second["steps"] >= 60, "it went on from its checkpoint"
    assert [one[0] for one in said["said"] if one[1] == moved] == ["started", "retried", "started", "done"]
    assert gone["after"] < 40, "nothing of the run kept the node"


def test_what_happens_on_a_leaving_node_is_no_failure_and_no_try() -> None:
    events: list[Event] = []
    floor = Floor()
    floor.see([Node(cpus=1, node_id="spot"), Node(cpus=1, node_id="stays")])
    source = FakeSource(stages=[FakeStage("a"), FakeStage("b")])
    desk = Desk(source, events.append, floor=floor)
    one, other = desk.next_stage(), desk.next_stage()
    assert isinstance(one, FakeStage) and isinstance(other, FakeStage)
    where = {desk.node_of(stage): stage.stage_id for stage in (one, other)}
    for _ in range(5):
        floor.see([Node(cpus=1, node_id="stays")])
        assert desk.leave(["spot"]) == [where["spot"]]
        desk.lost(where["spot"], "WorkerDied: the worker process ended")
        floor.see([Node(cpus=1, node_id="stays"), Node(cpus=1, node_id="spot")])
        again = desk.next_stage()
        assert isinstance(again, FakeStage) and again.stage_id == where["spot"]
    assert source.errors == [] and desk.report().failed == {}
    told = [each for each in events if isinstance(each, StageEvent) and each.happening is Happening.RETRIED]
    assert len(told) == 5 and "its node leaves the cluster" in told[0].message
