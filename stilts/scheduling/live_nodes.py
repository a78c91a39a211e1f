"""What the connected cluster offers now: its live nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from stilts.study.slots import Node

# Hears of the nodes once the cluster is connected, and again while a run lasts: they come and go.
OnNodes: TypeAlias = Callable[[Sequence[Node]], None]


def live_nodes() -> tuple[Node, ...]:
    """The nodes of the connected cluster that are alive and stay, with all that they have, whoever uses it now."""
    import ray

    leaving = leaving_nodes()
    alive = (node for node in ray.nodes() if node["Alive"] and node["NodeID"] not in leaving)  # type: ignore[no-untyped-call]
    return tuple(
        Node(cpus=node["Resources"].get("CPU", 0.0), gpus=node["Resources"].get("GPU", 0.0), node_id=node["NodeID"])
        for node in alive
    )


def leaving_nodes() -> frozenset[str]:
    """The ids of nodes that Ray drains: they are about to go, and take no more work.

    Ray's own libraries ask where this does; there is no public place. A Ray that has it elsewhere names none: stages
    there are then lost with their node, as those of any that dies.
    """
    from ray._private.state import state

    draining: Callable[[], dict[str, int]] = getattr(state, "get_draining_nodes", dict)
    return frozenset(draining())
