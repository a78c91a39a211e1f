"""How many stages of a study run at once: by what a stage holds, what the machines offer, and the study's own bounds.

Everything that asks takes this answer: proposals in flight, a policy's batches, Tune, and the hours of a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stilts.study.schema import StudyResources

# Shares of a CPU or GPU are decimal fractions: a third part of 0.3 must not be missing for rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one stage holds while it runs: CPU cores and GPUs, both may be fractions (several GPUs: whole ones).

    Stages that hold the same are of one class: a process that ran one can run the next.
    """

    cpus: float = 1.0
    gpus: float = 0.0

    def __str__(self) -> str:
        amounts = {"CPU": self.cpus, "GPU": self.gpus}
        told = [f"{amount:g} {name}{'' if amount == 1 else 's'}" for name, amount in amounts.items() if amount]
        return " and ".join(told) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that stages may run on: its CPU cores and its GPUs; ``node_id`` is the cluster's name for it."""

    cpus: float
    gpus: float = 0.0
    node_id: str = field(default="", compare=False)


def num_slots(nodes: Iterable[Node], held: Resources) -> int:
    """How many stages, each within one node, the nodes hold at once; a stage that holds nothing takes a CPU."""
    return sum(_on(node, held) for node in nodes)


def allowed(nodes: Sequence[Node], held: Resources, *, beside_gpus: bool) -> list[Node]:
    """The nodes that a stage may run on.

    Where other stages of the study hold GPUs (``beside_gpus``), one that holds none is kept off the nodes with GPUs, as
    long as there is another node that can hold it.
    """
    without = [node for node in nodes if not node.gpus and _on(node, held)]
    return without if beside_gpus and not held.gpus and without else list(nodes)


def most_at_once(bounds: StudyResources, held: Resources) -> int | None:
    """The most stages that hold so much which the study allows at once, whatever there is; None for no bound."""
    found = [] if bounds.max_concurrent is None else [bounds.max_concurrent]
    if bounds.max_gpus is not None and held.gpus > 0:
        found.append(int(bounds.max_gpus / held.gpus + ROUNDING))
    return min(found) if found else None


def slots_of(bounds: StudyResources, held: Resources, nodes: Sequence[Node], *, beside_gpus: bool) -> int:
    """How many stages that hold so much run at once on these nodes, with no others: 1 at least, since one may wait."""
    there = max(1, num_slots(allowed(nodes, held, beside_gpus=beside_gpus), held))
    most = most_at_once(bounds, held)
    return there if most is None else min(there, most)


def _on(node: Node, held: Resources) -> int:
    amounts = [(node.cpus, held.cpus), (node.gpus, held.gpus)]
    if not any(amount for _, amount in amounts):
        return int(node.cpus)
    return int(min(there / amount for there, amount in amounts if amount > 0) + ROUNDING)
