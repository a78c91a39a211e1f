"""Every live node is asked, each on itself; one that is silent or fails is told by its name."""

from __future__ import annotations

from typing import Any

import pytest
import ray

from stilts.errors import ClusterError
from stilts.scheduling.asking import AskedNode, ask_nodes, asked_nodes

NODES = [
    {
        "Alive": True,
        "NodeID": "a" * 56,
        "NodeManagerHostname": "head",
        "NodeManagerAddress": "10.0.0.1",
        "NodeManagerPort": 7001,
        "ObjectManagerPort": 7002,
        "Resources": {"CPU": 2.0, "GPU": 4.0},
    },
    {"Alive": False, "NodeID": "b" * 56, "NodeManagerHostname": "gone", "NodeManagerAddress": "10.0.0.2"},
    {"Alive": True, "NodeID": "c" * 56, "NodeManagerHostname": "worker", "NodeManagerAddress": "10.0.0.3"},
]


class Cluster:
    """Stands in for Ray's tasks: a question is answered at once, but by nodes that are silent or broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, silent: str = "", broken: str = "") -> None:
        self.silent, self.broken = silent, broken
        self.variables: list[dict[str, str]] = []
        monkeypatch.setattr(ray, "nodes", lambda: NODES)
        monkeypatch.setattr(ray, "remote", lambda **_: self.of)
        monkeypatch.setattr(ray, "wait", self.wait)
        monkeypatch.setattr(ray, "get", self.get)

    def of(self, function: Any) -> Any:
        cluster = self

        class WithOptions:  # as Ray's it has no options of its own
            def __init__(self, node: str) -> None:
                self.node = node

            def remote(self, *words: Any) -> tuple[str, Any]:
                return self.node, function(*words)

        class Remote:
            def options(self, *, scheduling_strategy: Any, runtime_env: Any = None) -> WithOptions:
                cluster.variables += [] if runtime_env is None else [runtime_env["env_vars"]]
                assert not scheduling_strategy.soft
                return WithOptions(scheduling_strategy.node_id[0])

        return Remote()

    def wait(self, asked: list[Any], *, num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        heard = [one for one in asked if one[0] not in self.silent][:num_returns]
        return heard, [one for one in asked if one not in heard]

    def get(self, answer: Any) -> Any:
        if answer[0] in self.broken:
            raise RuntimeError("a long story\nModuleNotFoundError: No module named 'stilts'\n")
        return answer[1]


def named(node: AskedNode, word: str) -> str:
    return f"{word} {node.name}"


def test_every_live_node_answers_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    found = ask_nodes(named, "here")
    assert [one.value for one in found] == ["here head (10.0.0.1)", "here worker (10.0.0.3)"]
    assert all(one.asked <= one.heard for one in found) and not cluster.variables
    head, worker = asked_nodes()
    assert (head.gpus, head.ports, worker.gpus, worker.ports) == (4.0, (7001, 7002), 0.0, ())


def test_gpus_are_not_hidden_from_who_is_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    ask_nodes(named, "here", sees_gpus=True)
    assert cluster.variables == [{"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}] * 2


def test_a_node_that_is_silent_or_cannot_run_stilts_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch, silent="c", broken="a")
    head, worker = (one.value for one in ask_nodes(named, "here"))
    assert isinstance(head, ClusterError) and "head" in head.asked and "No module named 'stilts'" in head.found
    assert isinstance(worker, ClusterError) and "worker" in worker.asked and "did not say within" in worker.found
