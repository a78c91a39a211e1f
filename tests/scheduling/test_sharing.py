"""Studies that share a cluster: who goes first, and that the dead hold nobody up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stilts.scheduling.claimant import Claimant
from stilts.scheduling.floor import Floor
from stilts.scheduling.sharing import Claims, SharedCluster
from stilts.study.slots import Node, Resources

ONE = Resources(cpus=1)
GPU = Resources(cpus=1, gpus=1)
CPUS, GPUS = Node(cpus=2, node_id="cpus"), Node(cpus=8, gpus=2, node_id="gpus")


@dataclass
class Cluster:
    """A notebook in memory, and a clock for all."""

    texts: dict[str, bytes] = field(default_factory=dict)
    now: float = 0.0

    def write(self, key: str, text: str) -> None:
        self.texts[key] = text.encode()

    def read(self) -> Mapping[str, bytes]:
        return dict(self.texts)

    def drop(self, key: str) -> None:
        self.texts.pop(key, None)

    def study(self, name: str, *nodes: Node, priority: int = 0, **more: object) -> Study:
        floor = Floor(beside_gpus=True, clock=lambda: self.now, **more)  # type: ignore[arg-type]
        floor.see(nodes or (CPUS,))
        return Study(self, name, floor, priority)

    def pass_by(self, *studies: Study, seconds: float = 1.0) -> None:
        for _ in range(2):  # each has heard of what all of them said
            self.now += seconds
            for one in studies:
                one.sharing.look()


class Study:
    def __init__(self, cluster: Cluster, name: str, floor: Floor, priority: int) -> None:
        self.floor, self.said = floor, list[str]()
        self.sharing = SharedCluster(
            claimant=Claimant(study=name, priority=priority),
            floor=floor,
            key=name,
            notebook=cluster,
            say=self.said.append,
            clock=lambda: cluster.now,
        )

    def begins(self, stage: str, held: Resources = ONE) -> bool:
        """Whether a stage may begin now; it then does."""
        if not self.floor.ask()(held):
            return False
        self.floor.place(stage, held)
        self.floor.begun(stage)
        return True


def test_what_others_hold_is_no_room() -> None:
    cluster = Cluster()
    one, other = cluster.study("one"), cluster.study("other")
    assert one.begins("a")
    cluster.pass_by(one, other)
    assert other.begins("b") and not other.begins("c"), "one CPU was left of two"
    cluster.pass_by(one, other)
    assert not one.begins("d")
    one.floor.leave("a")
    cluster.pass_by(one, other)
    assert other.begins("c"), "both are as important"


def test_the_less_important_study_begins_nothing_where_the_other_waits() -> None:
    cluster = Cluster()
    low, high = cluster.study("low"), cluster.study("high", priority=5)
    assert low.begins("a") and low.begins("b")
    cluster.pass_by(low, high)
    assert not high.begins("h")
    cluster.pass_by(low, high)
    assert low.said == ["study high (priority 5) goes first where its stages wait for room"]
    low.floor.leave("a")
    assert not low.begins("c"), "it is the other's now"
    cluster.pass_by(low, high)
    assert high.begins("h")
    low.floor.leave("b")
    cluster.pass_by(low, high)
    assert low.begins("c"), "nothing of the other waits"
    assert len(low.said) == 1


def test_nodes_that_the_other_cannot_use_are_not_kept_for_it() -> None:
    cluster = Cluster()
    low, high = cluster.study("low", CPUS, GPUS), cluster.study("high", CPUS, GPUS, priority=1)
    assert high.begins("a", GPU) and high.begins("b", GPU) and not high.begins("c", GPU)
    cluster.pass_by(low, high)
    assert low.begins("d"), "on the node without GPUs"
    assert not low.begins("e", GPU)
    kept = cluster.study("kept", GPUS, priority=9, max_gpus=1.0)
    high.floor.leave("a")
    cluster.pass_by(low, high, kept)
    assert kept.begins("f", GPU) and not kept.begins("g", GPU) and kept.floor.wanted == frozenset()


def test_a_driver_that_died_holds_nobody_up_for_long() -> None:
    cluster = Cluster()
    low, high = cluster.study("low"), cluster.study("high", priority=5)
    assert high.begins("h") and high.begins("i") and not high.begins("j")
    cluster.pass_by(low, high)
    assert not low.begins("a")
    cluster.pass_by(low, seconds=31.0)
    assert low.begins("a") and low.begins("b")
    assert "high" in cluster.texts
    cluster.pass_by(low, seconds=601.0)
    assert "high" not in cluster.texts, "cleared away"


def test_a_study_that_ended_is_forgotten_at_once() -> None:
    cluster = Cluster()
    one, other = cluster.study("one", priority=3), cluster.study("other")
    assert one.begins("a") and one.begins("b") and not one.begins("c")
    cluster.pass_by(one, other)
    one.sharing.leave()
    cluster.pass_by(other)
    assert other.begins("d")


def test_two_that_took_the_same_room_come_apart() -> None:
    cluster = Cluster()
    one, other = (cluster.study(name, Node(cpus=1, node_id="a"), Node(cpus=1, node_id="b")) for name in "xy")
    assert one.floor.ask()(ONE) and one.floor.place("s", ONE) == "a"
    assert other.floor.ask()(ONE) and other.floor.place("t", ONE) == "a"
    one.floor.begun("s")
    cluster.pass_by(one, other)
    assert other.floor.stranded == [], "it may be the one that begins"
    cluster.pass_by(one, other, seconds=6.0)
    assert other.floor.stranded == ["t"] and one.floor.stranded == []
    other.floor.leave("t")
    assert other.floor.ask()(ONE) and other.floor.place("t", ONE) == "b"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"study": 1}', b"\xff", b'{"study": "a", "owner": null, "p": 1}']
)
def test_what_another_version_tells_is_left_aside(text: bytes) -> None:
    assert Claims.of_text(text) is None
    cluster = Cluster(texts={"other": text})
    one = cluster.study("one")
    cluster.pass_by(one)
    assert one.begins("a")


# Two drivers on one cluster of one CPU: the more important one comes when the first has begun.
SCRIPT = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from stilts.scheduling.claimant import Claimant
from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.runner import run_stages
from tests.scheduling.fakes import FakeSource, FakeStage, ProbingExecutor

name, priority, address = sys.argv[1:]
settings = RaySettings(address=address, claimant=Claimant(study=name, priority=int(priority)))
stages = [FakeStage(f"{{name}}-{{number}}") for number in range(6)]
with ray_cluster(settings):
    execute = ProbingExecutor(folder={folder!r}, seconds=4.0)
    report = run_stages(FakeSource(stages=stages), execute=execute, settings=settings)
print(json.dumps([len(report.done), report.failed]))
"""
HEAD = """
import sys, time
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.mark.slow
def test_of_two_studies_on_one_cluster_the_more_important_goes_first(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    script = SCRIPT.format(root=str(Path(__file__).parents[2]), folder=str(tmp_path))
    pipes = {"stdout": subprocess.PIPE, "text": True, "env": env}
    with subprocess.Popen([sys.executable, "-c", HEAD], stdin=subprocess.PIPE, **pipes) as head:  # type: ignore[call-overload]
        assert head.stdout is not None
        address = head.stdout.readline().strip()
        words = [sys.executable, "-c", script]
        low = subprocess.Popen([*words, "low", "0", address], **pipes)  # type: ignore[call-overload]
        while not (tmp_path / "low-0").exists():
            assert low.poll() is None
        high = subprocess.run([*words, "high", "5", address], capture_output=True, text=True, env=env, timeout=300)
        said, _ = low.communicate(timeout=300)
        head.communicate("")
    assert json.loads(high.stdout.splitlines()[-1]) == json.loads(said.splitlines()[-1]) == [6, {}]
    ran = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    order = [one["stage_id"].split("-")[0] for one in sorted(ran, key=lambda one: one["start"])]
    first = order.index("high")
    assert first < 6, "the other had not ended"
    assert order[first:].count("low") == 6 - first and order[first : first + 6] == ["high"] * 6
