"""Which machines a plan's hours are for: those of a cluster that is asked, or this one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stilts.study.schema import StudyResources
from stilts.study.slots import Node, most_at_once, num_slots, slots_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How many stages of a study run at once, and on which machines, in words."""

    at_once: int
    machines: str


def offer_of(wanted: StudyResources, address: str | None = None) -> Offer:
    """What the cluster at an address offers a study, or this machine where none is given; ClusterError for no cluster.

    Where this machine holds no stage of the study at all, it is all that the study allows itself, or one stage.
    """
    if address is not None:
        nodes = _nodes_at(address)
        return Offer(at_once=slots_of(wanted, nodes), machines=f"the cluster at {address} ({_sizes(nodes)})")
    here = [Node(cpus=os.cpu_count() or 1, gpus=_num_gpus())]
    if num_slots(here, cpus=wanted.cpus, gpus=wanted.gpus):
        return Offer(at_once=slots_of(wanted, here), machines=f"this machine ({_sizes(here)})")
    most = most_at_once(wanted)
    given = "machines that give the study all that it allows itself" if most else "machines that hold one stage"
    return Offer(at_once=most or 1, machines=f"{given}, which this one does not ({_sizes(here)})")


def _nodes_at(address: str) -> tuple[Node, ...]:
    from stilts.scheduling.cluster import RaySettings, ray_cluster
    from stilts.scheduling.live_nodes import live_nodes

    with ray_cluster(RaySettings(address=address)):
        return live_nodes()


def _num_gpus() -> int:
    """NVIDIA GPUs of this machine, by their device files: torch would take seconds to say it."""
    devices = Path("/dev")
    return sum(bool(re.fullmatch(r"nvidia\d+", each.name)) for each in devices.iterdir()) if devices.is_dir() else 0


def _sizes(nodes: Sequence[Node]) -> str:
    sums = {"CPU": sum(node.cpus for node in nodes), "GPU": sum(node.gpus for node in nodes)}
    return ", ".join(f"{total:g} {name}{'' if total == 1 else 's'}" for name, total in sums.items() if total) or "empty"
