"""Which machines a plan's hours are for: those of a cluster that is asked, or this one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stilts.scheduling.cluster import RaySettings, ray_cluster
from stilts.scheduling.live_nodes import live_nodes
from stilts.study.holding import Holding
from stilts.study.slots import Node, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOffer:
    """What stages of one class hold, which stages these are, and how many of them run at once, with no others."""

    cpus: float
    gpus: float
    stages: tuple[str, ...]
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How many stages of a study run at once, by what they hold, and on which machines, in words.

    ``at_once`` is that of trainings; ``lacking`` are the classes that no machine there holds.
    """

    at_once: int
    machines: str
    classes: tuple[ClassOffer, ...]
    lacking: tuple[ClassOffer, ...] = ()


def offer_of(holding: Holding, address: str | None = None) -> Offer:
    """What the cluster at an address offers a study, or this machine where none is given; ClusterError for no cluster.

    Where this machine lacks room for some class, it is all that the study allows itself of each, or one stage.
    """
    if address is not None:
        nodes = _nodes_at(address)
        classes = _classes(holding, {held: holding.at_once(held, nodes) for held in holding.classes})
        lacking = [(one.cpus, one.gpus) for one in holding.homeless(nodes)]
        return Offer(
            at_once=holding.most_open(nodes),
            machines=f"the cluster at {address} ({_sizes(nodes)})",
            classes=classes,
            lacking=tuple(one for one in classes if (one.cpus, one.gpus) in lacking),
        )
    here = [Node(cpus=os.cpu_count() or 1, gpus=_num_gpus())]
    if not holding.homeless(here):
        classes = _classes(holding, {held: holding.at_once(held, here) for held in holding.classes})
        return Offer(at_once=holding.most_open(here), machines=f"this machine ({_sizes(here)})", classes=classes)
    allowed = {held: holding.at_most(held) for held in holding.classes}
    given = "all that it allows itself" if any(allowed.values()) else "room for one stage"
    classes = _classes(holding, {held: most or 1 for held, most in allowed.items()})
    return Offer(
        at_once=max(one.at_once for one in classes if set(one.stages) - {"evaluate", "estimate"}),
        machines=f"machines that give the study {given}, which this one does not ({_sizes(here)})",
        classes=classes,
    )


def _classes(holding: Holding, at_once: Mapping[Resources, int]) -> tuple[ClassOffer, ...]:
    return tuple(
        ClassOffer(cpus=held.cpus, gpus=held.gpus, stages=stages, at_once=at_once[held])
        for held, stages in holding.holders.items()
    )


def _nodes_at(address: str) -> tuple[Node, ...]:
    with ray_cluster(RaySettings(address=address)):
        return live_nodes()


def _num_gpus() -> int:
    """NVIDIA GPUs of this machine, by their device files: torch would take seconds to say it."""
    devices = Path("/dev")
    return sum(bool(re.fullmatch(r"nvidia\d+", each.name)) for each in devices.iterdir()) if devices.is_dir() else 0


def _sizes(nodes: Sequence[Node]) -> str:
    sums = {"CPU": sum(node.cpus for node in nodes), "GPU": sum(node.gpus for node in nodes)}
    return ", ".join(f"{total:g} {name}{'' if total == 1 else 's'}" for name, total in sums.items() if total) or "empty"
