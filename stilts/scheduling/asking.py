"""A question to every node of the connected cluster: a function that runs on each, and what each answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stilts.errors import ClusterError, StiltsError

T = TypeVar("T")
# A node starts a process for its answer, and unpacks the job's package first.
_ANSWER_WITHIN_S = 180.0
# Without it Ray hides every GPU from what asks for none of them.
_GPUS_SEEN = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedNode:
    """A live node as Ray knows it: ``gpus`` it was told of, ``ports`` at which its parts hear the other nodes."""

    node_id: str
    name: str
    host: str
    gpus: float
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAnswer(Generic[T]):
    """What a node answered, or why it did not; the clock of this machine before it was asked and after it was heard."""

    node: AskedNode
    asked: float
    heard: float
    value: T | StiltsError


def asked_nodes() -> tuple[AskedNode, ...]:
    """The live nodes of the connected cluster, by name."""
    import ray

    alive = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    found = (
        AskedNode(
            node_id=node["NodeID"],
            name=node_name(node),
            host=node["NodeManagerAddress"],
            gpus=node.get("Resources", {}).get("GPU", 0.0),
            ports=tuple(port for name in ("NodeManagerPort", "ObjectManagerPort") if (port := node.get(name))),
        )
        for node in alive
    )
    return tuple(sorted(found, key=lambda node: node.name))


def ask_nodes(question: Callable[..., T], *words: Any, sees_gpus: bool = False) -> list[NodeAnswer[T]]:
    """What ``question(node, *words)`` comes to on every live node; ClusterErrors for those that are silent or fail."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote: Any = ray.remote(num_cpus=0, max_retries=1)(question)
    how = {"runtime_env": {"env_vars": _GPUS_SEEN}} if sees_gpus else {}
    waiting: dict[Any, tuple[AskedNode, float]] = {}
    for node in asked_nodes():
        there = NodeAffinitySchedulingStrategy(node.node_id, soft=False)
        waiting[remote.options(scheduling_strategy=there, **how).remote(node, *words)] = node, time.time()
    found, until = [], time.monotonic() + _ANSWER_WITHIN_S
    while waiting:
        (heard, _) = ray.wait(list(waiting), num_returns=1, timeout=max(0.0, until - time.monotonic()))
        now = time.time()
        for answer in heard or list(waiting):
            node, asked = waiting.pop(answer)
            value = _value(answer, node.name) if heard else _silent(node.name)
            found.append(NodeAnswer(node=node, asked=asked, heard=now, value=value))
    return sorted(found, key=lambda one: one.node.name)


def node_name(node: Mapping[str, Any]) -> str:
    """``worker-1 (10.0.0.2)``."""
    return f"{node.get('NodeManagerHostname', '')} ({node.get('NodeManagerAddress', '')})"


def _value(answer: Any, name: str) -> Any:
    import ray

    try:
        return ray.get(answer)
    except Exception as error:
        said = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
        return ClusterError(
            f"node {name}",
            f"it cannot run stilts ({said.strip()})",
            "No stage was started; what is done stays done",
            "Install the same Python, Ray and dependencies there as on the other nodes (deploy/README.md)",
        )


def _silent(name: str) -> ClusterError:
    return ClusterError(
        f"node {name}",
        f"it did not say within {_ANSWER_WITHIN_S:.0f} s what it has",
        "No stage was started; what is done stays done",
        "Look at its log, or take it out of the cluster, and run the same command again",
    )
