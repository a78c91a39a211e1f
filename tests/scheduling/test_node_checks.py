"""A node that lacks a folder of the run is named before the first stage, with what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ray

from stilts.errors import ClusterError, InputError
from stilts.scheduling import node_checks
from stilts.scheduling.node_checks import Places, check_nodes

NODES = [
    {"Alive": True, "NodeID": "a" * 56, "NodeManagerHostname": "head", "NodeManagerAddress": "10.0.0.1"},
    {"Alive": False, "NodeID": "b" * 56, "NodeManagerHostname": "gone", "NodeManagerAddress": "10.0.0.2"},
    {"Alive": True, "NodeID": "c" * 56, "NodeManagerHostname": "worker", "NodeManagerAddress": "10.0.0.3"},
]


class Cluster:
    """Stands in for Ray's tasks: each node has all that is asked for but what it ``lacks``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, lacks: dict[str, str]) -> None:
        self.asked: list[str] = []
        self.lacks = lacks
        self.marks: list[Path] = []
        self.silent: list[str] = []
        self.broken: list[str] = []
        monkeypatch.setattr(ray, "nodes", lambda: NODES)
        monkeypatch.setattr(ray, "remote", lambda **_: lambda function: self)
        monkeypatch.setattr(ray, "wait", self.wait)
        monkeypatch.setattr(ray, "get", self.get)

    def options(self, *, scheduling_strategy: Any) -> Any:
        assert not scheduling_strategy.soft
        node_id, cluster = scheduling_strategy.node_id[0], self

        class Pinned:
            def remote(self, roots: dict[str, str], marks: dict[str, str]) -> tuple[str, Any]:
                cluster.asked.append(node_id)
                cluster.marks += map(Path, marks.values())
                assert all(Path(mark).exists() for mark in marks.values())
                lacks = cluster.lacks.get(node_id)
                return node_id, (tuple(n for n in roots if n == lacks), tuple(n for n in marks if n == lacks))

        return Pinned()

    def wait(self, asked: list[Any], *, num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        assert num_returns == len(asked) and timeout > 0
        return [one for one in asked if one[0] not in self.silent], [one for one in asked if one[0] in self.silent]

    def get(self, answer: Any) -> Any:
        if answer[0] in self.broken:
            raise RuntimeError("a long story\nModuleNotFoundError: No module named 'stilts'\n")
        return answer[1]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(roots={"data": str(tmp_path)}, shared={"store": str(tmp_path / "new" / "store")})


def test_every_live_node_is_asked_and_nothing_is_left_behind(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(monkeypatch, lacks={})
    check_nodes(places)
    assert cluster.asked == ["a", "c"] and cluster.marks
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lacks", "words", "step"),
    [
        ("data", r"does not exist on node worker \(10\.0\.0\.3\)", "--root data=FOLDER"),
        ("store", r"node worker \(10\.0\.0\.3\) does not see it", "--store s3://BUCKET/stilts"),
    ],
)
def test_what_one_node_lacks_is_said(
    lacks: str, words: str, step: str, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cluster(monkeypatch, lacks={"c": lacks})
    with pytest.raises(InputError, match=words) as error:
        check_nodes(places)
    assert step in error.value.next_step and error.value.why
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_is_silent_or_cannot_run_stilts_is_named(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lacks={})
    cluster.silent = ["c"]
    with pytest.raises(ClusterError, match="worker"):
        check_nodes(places)
    cluster.silent, cluster.broken = [], ["a"]
    with pytest.raises(ClusterError, match="No module named 'stilts'") as error:
        check_nodes(places)
    assert "head" in error.value.asked


def test_a_folder_that_cannot_be_written_to_is_the_store_s_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "touch", refuse)
    with node_checks._mark(tmp_path) as mark:
        assert mark == ""
    assert node_checks.missing_here({}, {"store": ""}) == ([], [])
