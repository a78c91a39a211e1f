"""What is wrong on one node is found by the check that it concerns, with what to do; a run stops over some of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.app import asking_nodes, node_facts
from stilts.app.asking_nodes import NodePlaces, _mark, check_nodes, node_findings
from stilts.app.node_checks import CHECKS
from stilts.app.node_facts import PACKAGES, NodeFacts, NodeQuestion, facts_here, versions_here
from stilts.errors import ClusterError, InputError
from stilts.execute.finding import CheckState, Finding
from stilts.scheduling.asking import AskedNode, NodeAnswer
from stilts.tracking import pages
from tests.test_architecture import requirements_of

A, B = (
    AskedNode(node_id=name[0], name=f"{name} (10.0.0.{number})", host="127.0.0.1", gpus=0.0, ports=())
    for number, name in enumerate(("a-head", "b-worker"), start=1)
)
Spoil = Callable[[NodeFacts], Any]


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Two nodes that are this machine; what the second one answers a test may spoil."""

    def made(spoil: Spoil = lambda facts: facts, *, node: AskedNode = B, unread: list[str] | None = None) -> None:
        def ask(question: Callable[..., Any], *words: Any, sees_gpus: bool = False) -> list[NodeAnswer[Any]]:
            found = []
            for each in (A, node):
                asked, value = time.time(), question(each, *words)
                if each is node:
                    value = (unread or value) if isinstance(value, list) else spoil(value)
                found.append(NodeAnswer(node=each, asked=asked, heard=time.time(), value=value))
            return found

        monkeypatch.setattr(asking_nodes, "ask_nodes", ask)
        monkeypatch.setattr(asking_nodes, "asked_nodes", lambda: (A, node))

    return made


@pytest.fixture
def places(tmp_path: Path) -> NodePlaces:
    (tmp_path / "data").mkdir()
    return NodePlaces(roots={"data": str(tmp_path / "data")}, store=str(tmp_path / "store"))


def failed(found: list[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in found if one.verdict is CheckState.FAILED}


def test_where_nothing_is_wrong_every_check_says_what_it_saw_and_leaves_nothing(
    cluster: Callable[..., None], places: NodePlaces, tmp_path: Path
) -> None:
    cluster()
    found = node_findings(places)
    assert [one.check for one in found] == [check.name for check in CHECKS]
    verdicts = {one.check: one.verdict for one in found}
    asked_for = set(verdicts) - {"folders", "MLflow", "ports"}
    assert {verdicts[name] for name in asked_for} == {CheckState.OK}, found
    assert all(one.found for one in found)
    assert check_nodes(places) == []
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


SPOILED: dict[str, tuple[Spoil, str, str]] = {
    "versions": (lambda facts: replace(facts, versions={**facts.versions, "torch": "1.0"}), "torch 1.0, not", "pip"),
    "clocks": (lambda facts: replace(facts, clock=facts.clock + 100), "is 100 s ahead", "timedatectl"),
    "disks": (lambda facts: replace(facts, disk=("/tmp", 4 * 2**30, 100 * 2**30)), "4 GiB of 100 GiB", "--temp-dir"),
    "token": (
        lambda facts: replace(facts, token=InputError("token", "open", "", "chmod 600 x")),
        "open",
        "chmod 600 x",
    ),
    "GPUs": (lambda facts: replace(facts, gpus=2), "told of 0 GPUs, and torch sees 2", "without --num-gpus"),
    "roots": (lambda facts: replace(facts, no_roots=["data"]), "does not exist on node b-worker", "--root data=FOLDER"),
    "store": (lambda facts: replace(facts, sees_mark=False), "does not see it", "--store s3://BUCKET/stilts"),
    "MLflow": (lambda facts: replace(facts, tracking=InputError("MLflow", "401", "", "log in")), "401", "log in"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_wrong_on_one_node_is_found_with_what_to_do(
    name: str, cluster: Callable[..., None], places: NodePlaces
) -> None:
    spoil, words, step = SPOILED[name]
    cluster(spoil)
    (one,) = failed(node_findings(places)).values()
    assert one.check == name and words in one.found and "b-worker" in one.found and step in one.advice, one
    stops = next(check.stops_a_run for check in CHECKS if check.name == name)
    if stops:
        with pytest.raises(InputError, match="b-worker") as error:
            check_nodes(places)
        assert error.value.why
    else:
        (line,) = check_nodes(places)
        assert words in line


def test_a_node_that_cannot_answer_stops_a_run(cluster: Callable[..., None], places: NodePlaces) -> None:
    cluster(lambda facts: ClusterError("node b-worker", "it cannot run stilts (no torch)", "", "Install it"))
    found = failed(node_findings(places))
    assert [*found] == ["nodes"] and found["nodes"].advice == "Install it"
    with pytest.raises(ClusterError, match="no torch"):
        check_nodes(places)


def test_gpus_that_ray_was_told_of_and_nobody_sees_are_found(cluster: Callable[..., None], places: NodePlaces) -> None:
    cluster(lambda facts: replace(facts, gpus=0), node=replace(B, gpus=4.0))
    assert "told of 4 GPUs, and torch sees 0" in failed(node_findings(places))["GPUs"].found


def test_a_port_that_is_shut_is_named(cluster: Callable[..., None]) -> None:
    cluster(node=replace(B, ports=(9,)))
    found = failed(node_findings(NodePlaces()))["ports"]
    assert "b-worker (10.0.0.2) at port 9" in found.found and "every port" in found.advice


def test_what_another_node_wrote_and_one_cannot_read_is_found(cluster: Callable[..., None], places: NodePlaces) -> None:
    cluster(unread=["a"])
    found = failed(node_findings(places))["store"]
    assert "what a-head (10.0.0.1) wrote" in found.found and "node b-worker" in found.found


def test_a_store_that_lets_two_create_the_same_is_found(
    cluster: Callable[..., None], places: NodePlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster(lambda facts: replace(facts, created=True))
    assert "2 nodes created the same object" in failed(node_findings(places))["store"].found


def test_a_place_that_is_no_store_is_found_and_nothing_is_written_there(
    cluster: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("x")
    cluster()
    found = failed(node_findings(NodePlaces(store=str(tmp_path))))["store"]
    assert "other things lie there" in found.found and [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_of_mlflow_that_a_node_does_not_see_stops_a_run(cluster: Callable[..., None], tmp_path: Path) -> None:
    cluster(lambda facts: replace(facts, no_marks=[f"MLflow's file {tmp_path}/mlflow.db"]))
    with pytest.raises(InputError, match="b-worker") as error:
        check_nodes(NodePlaces(tracking=f"sqlite:///{tmp_path}/mlflow.db"))
    assert "--tracking-uri http://HOST:5000" in error.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_a_node_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    roots = {"data": str(tmp_path / "data"), "text": str(tmp_path / "text")}
    with _mark(tmp_path / "new" / "mlflow") as mark:
        assert Path(mark).parent == tmp_path  # the folder is not made for it
        here = facts_here(A, NodeQuestion(roots=roots, marks={"seen": mark, "not seen": f"{mark}x", "unknown": ""}))
    assert (here.no_roots, here.no_marks, here.gpus) == (["text"], ["not seen"], None)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_cluster_that_asks_nobody_for_a_token_is_found(
    cluster: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE")
    cluster()
    assert "asks nobody for a token" in failed(node_findings(NodePlaces()))["token"].found


def test_mlflow_is_asked_on_every_node(cluster: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(pages, "run_pages", asked.append)
    cluster()
    node_findings(NodePlaces(tracking="http://mlflow:5000"))
    assert asked == ["http://mlflow:5000"] * 2


def test_the_versions_compared_are_those_of_what_stilts_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name.replace("_", "-") for name in PACKAGES} == set(requirements_of())
    monkeypatch.setattr(node_facts, "version", lambda name: "2.0+cu128")
    assert set(versions_here().values()) - {versions_here()["python"]} == {"2.0"}, "builds for a device are the same"
