"""What the connected cluster offers now: its live nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from stilts.study.slots import Node

# Hears of the nodes once the cluster is connected, and again while a run lasts: they come and go.
OnNodes: TypeAlias = Callable[[Sequence[Node]], None]


def live_nodes() -> tuple[Node, ...]:
    """The nodes of the connected cluster that are alive, with all that they have, whoever uses it now."""
    import ray

    alive = (node for node in ray.nodes() if node["Alive"])  # type: ignore[no-untyped-call]
    return tuple(
        Node(cpus=node["Resources"].get("CPU", 0.0), gpus=node["Resources"].get("GPU", 0.0), node_id=node["NodeID"])
        for node in alive
    )
