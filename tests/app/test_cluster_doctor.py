"""The nodes of a cluster behind a job server are asked by a job, and what it prints is what is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from stilts.app.cluster_doctor import cluster_findings
from stilts.app.cluster_file import ClusterPlaces
from stilts.app.node_facts import versions_here
from stilts.cli.main import app
from stilts.errors import ClusterError, InputError
from stilts.execute.finding import CheckState
from tests.scheduling.job_server import FakeServer

FINDING = {"check": "clocks", "verdict": "failed", "found": "node b: its clock is 90 s ahead", "advice": "Set it"}


@dataclass
class Printing(FakeServer):
    """Every job prints the same."""

    printed: str = ""

    def follow(self, submission_id: str) -> Iterator[str]:
        half = len(self.printed) // 2
        yield from (self.printed[:half], self.printed[half:])


def places(**changes: Any) -> ClusterPlaces:
    fields = {"address": "http://HEAD:8265", "store": "s3://bucket/x", "tracking": "http://m:5000", "roots": {}}
    return ClusterPlaces(**{**fields, **changes})


def told(**versions: str) -> str:
    value = {"address": "auto", "versions": {**versions_here(), **versions}, "findings": [FINDING]}
    return f"Running entrypoint\nchecking auto ...\n{json.dumps(value, indent=2)}\nsomething of Ray's {{}}\n"


def test_what_the_job_prints_is_found_and_it_was_asked_for_the_same_places() -> None:
    server = Printing(printed=told())
    found, versions = cluster_findings(places(roots={"data": "/mnt/my data"}), connect=server.connect)
    assert [(one.check, one.verdict) for one in found] == [("job server", "ok"), ("clocks", "failed")]
    assert found[1].advice == "Set it" and versions == versions_here()
    (job,) = server.known
    assert job.submission_id.startswith("doctor-") and job.study is None
    places_typed = "--store s3://bucket/x --tracking-uri http://m:5000 --root 'data=/mnt/my data'"
    assert job.entrypoint == f"python -m stilts.cli.main doctor --address auto --json {places_typed}"
    assert "stilts/app/node_facts.py" in server.shipped[job.submission_id]


def test_another_ray_here_than_there_is_found() -> None:
    found, _ = cluster_findings(places(), connect=Printing(printed=told(ray="1.0")).connect)
    assert found[0].verdict is CheckState.FAILED and "there" in found[0].found and "ray" in found[0].found
    found, _ = cluster_findings(places(), connect=Printing(printed=told(torch="1.0")).connect)
    assert found[0].verdict is CheckState.OK, "nothing is trained on the machine that submits"


def test_a_job_that_came_to_nothing_is_named_with_its_last_line() -> None:
    with pytest.raises(ClusterError, match=r"doctor-.*No module named 'stilts'") as error:
        cluster_findings(places(), connect=Printing(printed="2026-11-30 INFO\nNo module named 'stilts'\n\n").connect)
    assert "stilts logs doctor-" in error.value.next_step


def test_a_job_server_that_is_not_there_is_a_finding() -> None:
    def nobody(address: str) -> FakeServer:
        raise ClusterError(f"job server at {address}", "nobody answers there", "", "Open a tunnel to it")

    (one,), _ = cluster_findings(places(), connect=nobody)
    assert (one.check, one.verdict, one.advice) == ("job server", "failed", "Open a tunnel to it")


@pytest.mark.parametrize("changes", [{"store": "here"}, {"store": "s3://key:secret@bucket/x"}, {"tracking": "mlruns"}])
def test_a_place_that_no_job_can_use_is_refused(changes: dict[str, str]) -> None:
    server = FakeServer()
    with pytest.raises(InputError):
        cluster_findings(places(**changes), connect=server.connect)
    assert not server.known


def test_a_device_and_a_cluster_are_two_questions() -> None:
    asked = CliRunner().invoke(app, ["doctor", "--address", "http://HEAD:8265", "--device", "cpu"])
    assert isinstance(asked.exception, InputError) and "--device" in str(asked.exception)
