"""How many stages run at once, on machines of every shape and within a study's bounds."""

from __future__ import annotations

from typing import Any

import pytest

from stilts.study.schema import StudyResources
from stilts.study.slots import Node, Resources, allowed, most_at_once, num_slots, slots_of

HEAD = Node(cpus=2)
EIGHT = Node(cpus=32, gpus=8)


@pytest.mark.parametrize(
    ("nodes", "held", "slots"),
    [
        ([HEAD], {"cpus": 1, "gpus": 0}, 2),
        ([HEAD, *[EIGHT] * 8], {"cpus": 4, "gpus": 1}, 64),
        ([HEAD, *[EIGHT] * 8], {"cpus": 8, "gpus": 1}, 32),  # CPUs run out first
        ([EIGHT] * 2, {"cpus": 1, "gpus": 3}, 4),  # no stage reaches over two nodes
        ([EIGHT], {"cpus": 1, "gpus": 0.5}, 16),
        ([Node(cpus=0.3)], {"cpus": 0.1, "gpus": 0}, 3),  # 0.3 / 0.1 is 2.9999999999999996
        ([HEAD], {"cpus": 1, "gpus": 1}, 0),
        ([EIGHT], {"cpus": 0, "gpus": 0}, 32),
        ([], {"cpus": 1, "gpus": 0}, 0),
    ],
)
def test_a_stage_lies_within_one_node(nodes: list[Node], held: dict[str, float], slots: int) -> None:
    assert num_slots(nodes, Resources(**held)) == slots


@pytest.mark.parametrize(
    ("wanted", "most", "slots"),
    [
        ({"gpus": 1.0}, None, 8),
        ({"gpus": 0.5, "max_gpus": 2.0}, 4, 4),
        ({"gpus": 0.1, "max_gpus": 0.3}, 3, 3),
        ({"gpus": 1.0, "max_concurrent": 3}, 3, 3),
        ({"gpus": 0.5, "max_gpus": 2.0, "max_concurrent": 3}, 3, 3),
        ({"gpus": 1.0, "max_gpus": 64.0}, 64, 8),
        ({"gpus": 16.0, "max_concurrent": 5}, 5, 1),  # one waits for a larger node
    ],
)
def test_the_study_bounds_what_the_machines_offer(wanted: dict[str, Any], most: int | None, slots: int) -> None:
    resources = StudyResources(**wanted)
    held = Resources(gpus=resources.gpus)
    there = slots_of(resources, held, [HEAD, EIGHT], beside_gpus=True)
    assert (most_at_once(resources, held), there) == (most, slots)


def test_what_holds_no_gpu_is_kept_off_them_where_others_do_and_another_node_holds_it() -> None:
    one, three = Resources(cpus=1), Resources(cpus=3)
    assert allowed([HEAD, EIGHT], one, beside_gpus=True) == [HEAD]
    assert allowed([HEAD, EIGHT], three, beside_gpus=True) == [HEAD, EIGHT], "the head cannot hold it"
    assert allowed([HEAD, EIGHT], one, beside_gpus=False) == [HEAD, EIGHT], "nobody needs the GPUs"
    assert allowed([HEAD, EIGHT], Resources(cpus=1, gpus=0.5), beside_gpus=True) == [HEAD, EIGHT]
