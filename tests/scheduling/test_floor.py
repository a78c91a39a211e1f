"""Where stages are placed: within nodes and GPUs, claims against starving, and how idle a cluster of two classes is."""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from stilts.fingerprint import Json
from stilts.scheduling.desk import Desk
from stilts.scheduling.floor import BEGUN_WITHIN_S, Floor
from stilts.search.work_source import Fits, NoStage, anything
from stilts.study.slots import Node, Resources
from tests.scheduling.fakes import FakeSource, FakeStage

HEAD = Node(cpus=2, node_id="head")
GPUS = tuple(Node(cpus=32, gpus=8, node_id=f"gpus-{index}") for index in range(8))
HALF, ONE, FOUR = (Resources(cpus=1, gpus=gpus) for gpus in (0.5, 1.0, 4.0))
CPU = Resources(cpus=1)


def floor(*nodes: Node, **more: float) -> Floor:
    made = Floor(beside_gpus=True, **more)
    made.see(nodes)
    return made


def place(on: Floor, stage_id: str, held: Resources) -> str | None:
    """Where a stage begins, None where it does not fit now."""
    return on.place(stage_id, held) if on.ask()(held) else None


def test_a_stage_lies_within_one_node_and_parts_of_a_gpu_on_one_gpu() -> None:
    on = floor(Node(cpus=8, gpus=2, node_id="a"), Node(cpus=8, gpus=2, node_id="b"))
    assert place(on, "one", ONE) == "a" and place(on, "half", HALF) == "a"
    assert place(on, "two", Resources(gpus=2.0)) == "b"
    assert place(on, "other", ONE) is None, "half a GPU of a, none of b"
    assert place(on, "half 2", HALF) == "a", "beside the other half"
    on.leave("half")
    assert place(on, "again", ONE) is None
    on.leave("half 2")
    assert place(on, "again", ONE) == "a"


def test_stages_without_gpus_stay_off_nodes_with_them() -> None:
    on = floor(HEAD, GPUS[0])
    assert [place(on, f"estimate-{k}", CPU) for k in range(3)] == ["head", "head", None]
    assert place(floor(GPUS[0]), "estimate", CPU) == "gpus-0", "there is no other"


def test_a_large_stage_claims_a_node_and_small_ones_go_elsewhere() -> None:
    on = floor(*GPUS[:2])
    for index in range(14):
        assert place(on, f"one-{index}", ONE)
    asked = on.ask()
    assert not asked(FOUR) and on.claims == {FOUR: "gpus-1"}, "two of its GPUs are free"
    assert not asked(ONE), "nothing else is free"
    on.leave("one-0")  # on the other node
    asked = on.ask()
    assert not asked(FOUR) and asked(ONE)
    assert on.place("one-14", ONE) == "gpus-0"
    for index in (8, 9):
        on.leave(f"one-{index}")
    asked = on.ask()
    assert asked(FOUR) and on.place("four", FOUR) == "gpus-1" and not on.claims


def test_max_gpus_keeps_room_for_the_more_important() -> None:
    on = floor(GPUS[0], max_gpus=4.0)
    assert place(on, "one", ONE)
    asked = on.ask()
    assert not asked(FOUR) and not asked(HALF), "half a GPU more would keep four from ever being free"
    assert on.ask()(HALF), "nobody else waits"


def test_a_node_where_stages_do_not_begin_gets_no_more_and_one_that_is_gone_gives_them_back() -> None:
    now = [0.0]
    on = Floor(clock=lambda: now[0])
    on.see(GPUS[:2])
    assert place(on, "first", ONE) == "gpus-0"
    now[0] = BEGUN_WITHIN_S + 1
    assert place(on, "second", ONE) == "gpus-1", "others hold what was counted free on the first"
    on.begun("first")
    assert place(on, "third", FOUR) == "gpus-0", "the first has begun"
    on.see(GPUS[1:2])
    assert on.stranded == ["third"], "the end of the first one's process is heard"


def test_an_idle_process_is_in_the_way_of_what_needs_its_room_only() -> None:
    on = floor(Node(cpus=4, gpus=2, node_id="a"))
    on.idle = {("a", ONE): 1}
    assert place(on, "half", HALF) == "a"
    assert on.is_crowded("a", ONE), "parts of GPUs lie where Ray puts them"
    on.begun("half")
    assert not on.is_crowded("a", ONE)
    assert place(on, "one", ONE) == "a"
    on.idle = {("a", ONE): 1}
    assert on.is_crowded("a", ONE)
    assert on.is_crowded("gone", ONE)


def test_a_warm_process_is_preferred() -> None:
    on = floor(*GPUS[:3])
    on.idle = {("gpus-2", ONE): 1}
    assert place(on, "one", ONE) == "gpus-2"


@dataclass
class ManyStages(FakeSource):
    """A FakeSource of thousands of stages: those that are ready are kept in order."""

    def __post_init__(self) -> None:
        self.ready = [one for one in self.stages if one.parent is None]
        self.left = len(self.stages)
        self.order = {one.stage_id: number for number, one in enumerate(self.stages)}
        self.below: dict[str, list[FakeStage]] = {}
        for one in self.stages:
            self.below.setdefault(one.parent or "", []).append(one)

    def next_stage(self, fits: Fits = anything) -> FakeStage | NoStage:
        refused = set[Resources]()
        for index, stage in enumerate(self.ready):
            held = self.resources(stage)
            if held not in refused and fits(held):
                return self.ready.pop(index)
            refused.add(held)
        return NoStage.WAIT if self.left else NoStage.FINISHED

    def finished(self, stage_id: str, outcome: Mapping[str, Json]) -> None:
        self.left -= 1
        self.ready += self.below.get(stage_id, [])
        self.ready.sort(key=lambda one: self.order[one.stage_id])


@dataclass
class Simulated:
    """A cluster whose stages take as long as they are told to, in seconds of its own."""

    nodes: tuple[Node, ...]
    stages: list[FakeStage]
    seconds: dict[str, float]
    now: float = 0.0
    held: dict[str, Resources] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)

    def run(self) -> tuple[float, float]:
        """Runs all: the share of GPU time that was idle until only the last 64 were left, and the whole time."""
        on = floor(*self.nodes)
        on.clock = lambda: self.now
        desk = Desk(ManyStages(stages=self.stages), floor=on, clock=lambda: self.now)
        ending: list[tuple[float, str]] = []
        all_gpus, idle, last_idle = sum(node.gpus for node in self.nodes), 0.0, 0.0
        while True:
            while isinstance(stage := desk.next_stage(), FakeStage):
                on.begun(stage.stage_id)
                self.held[stage.stage_id] = desk.resources(stage)
                self.started.append(stage.stage_id)
                heapq.heappush(ending, (self.now + self.seconds[stage.stage_id], stage.stage_id))
            if stage is NoStage.FINISHED:
                return last_idle, self.now
            busy = sum(self.held[stage_id].gpus for _, stage_id in ending)
            assert busy <= all_gpus
            then, ended = heapq.heappop(ending)
            idle += (all_gpus - busy) * (then - self.now)
            self.now = then
            desk.settle({"stage_id": ended, "state": "done", "executed": True, "seconds": self.seconds[ended]})
            if len(self.stages) - len(self.started) >= 64:
                last_idle = idle / (all_gpus * self.now)


@pytest.mark.parametrize("seed", range(5))
def test_sixty_four_gpus_of_two_classes_stay_busy_until_the_last(seed: int) -> None:
    draw = random.Random(seed)
    stages = [FakeStage(f"train-{row}", gpus=4.0) for row in range(48)]
    for row in range(48):
        for column in range(12):
            stages.append(FakeStage(f"tune-{row}.{column}", f"train-{row}", gpus=1.0))
            stages.append(FakeStage(f"evaluate-{row}.{column}", f"tune-{row}.{column}", gpus=0.5))
    typical = {"train": 3600.0, "tune": 900.0, "evaluate": 120.0}
    seconds = {one.stage_id: typical[one.stage_id.split("-")[0]] * draw.uniform(0.5, 1.5) for one in stages}
    idle, _ = Simulated((HEAD, *GPUS), stages, seconds).run()
    print(f"idle until the last 64 stages: {idle:.1%}")
    assert idle < 0.10


@pytest.mark.parametrize("seed", range(3))
def test_large_stages_that_come_late_are_not_starved_and_cost_little(seed: int) -> None:
    """Proposals of a searched row: one of four GPUs now and then, while small stages hold every GPU."""
    draw = random.Random(seed)
    large = [FakeStage(f"train-{k}", f"tune-{25 * k}", gpus=4.0) for k in range(20)]
    small = [FakeStage(f"tune-{k}", gpus=1.0) for k in range(1200)]
    seconds = {one.stage_id: 600.0 * draw.uniform(0.5, 1.5) for one in [*large, *small]}
    cluster = Simulated((HEAD, *GPUS), [*large, *small], seconds)
    idle, _ = cluster.run()
    waits = [cluster.started.index(one.stage_id) - cluster.started.index(str(one.parent)) for one in large]
    print(f"idle until the last 64 stages: {idle:.1%}; stages begun before a large one after its parent: {max(waits)}")
    assert idle < 0.10
    assert max(waits) < 200, "small stages went on ahead of large ones"
