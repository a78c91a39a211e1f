"""How many stages of a study run at once: by what a stage holds, what the machines offer, and the study's own bounds.

Everything that asks takes this answer: proposals in flight, a policy's batches, Tune, and the hours of a plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stilts.study.schema import StudyResources

# Shares of a CPU or GPU are decimal fractions: a third part of 0.3 must not be missing for rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that stages may run on: its CPU cores and its GPUs."""

    cpus: float
    gpus: float = 0.0


def num_slots(nodes: Iterable[Node], *, cpus: float, gpus: float) -> int:
    """How many stages, each within one node, the nodes hold at once; a stage that holds nothing takes a CPU."""
    return sum(_on(node, {"cpus": cpus, "gpus": gpus}) for node in nodes)


def most_at_once(wanted: StudyResources) -> int | None:
    """The most stages that the study allows at once, whatever there is; None where it sets no bound."""
    bounds = [] if wanted.max_concurrent is None else [wanted.max_concurrent]
    if wanted.max_gpus is not None and wanted.gpus > 0:
        bounds.append(int(wanted.max_gpus / wanted.gpus + _ROUNDING))
    return min(bounds) if bounds else None


def slots_of(wanted: StudyResources, nodes: Iterable[Node]) -> int:
    """How many stages of the study run at once on these nodes: 1 at least, since one may wait for a node to come."""
    held = max(1, num_slots(nodes, cpus=wanted.cpus, gpus=wanted.gpus))
    most = most_at_once(wanted)
    return held if most is None else min(held, most)


def _on(node: Node, held: dict[str, float]) -> int:
    if not any(held.values()):
        return int(node.cpus)
    return int(min(getattr(node, name) / amount for name, amount in held.items() if amount > 0) + _ROUNDING)
