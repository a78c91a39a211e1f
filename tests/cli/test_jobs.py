"""The verbs of a cluster: what they print, and what they end with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stilts.cli.main import app
from stilts.cli.notice import notice
from tests.e2e.studies import study_fields
from tests.scheduling.job_server import FakeServer, job


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.chdir(tmp_path)
    for name in ("STILTS_STORE", "MLFLOW_TRACKING_URI", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    made = FakeServer()
    monkeypatch.setattr("stilts.scheduling.jobs.connect", made.connect)
    (tmp_path / "little.yaml").write_text(json.dumps({**study_fields(), "encoder": {"toy": True}}))
    (tmp_path / "cluster.yaml").write_text(
        "{address: 'http://head:8265', store: 's3://bucket/x', tracking: 'http://mlflow:5000'}"
    )
    yield made
    notice.end()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "140"})


def test_submit_says_what_travelled_where_to_and_how_to_go_on(server: FakeServer) -> None:
    done = typed("submit", "little.yaml")
    assert done.exit_code == 0, done.output
    (name,) = server.shipped
    for words in (f"Submitted {name}: ", "MiB", "s3://bucket/x", "http://mlflow:5000", f"stilts stop {name}"):
        assert words in done.stdout
    assert server.addresses == ["http://head:8265"]


def test_submit_takes_options_of_run_behind_two_dashes(server: FakeServer) -> None:
    done = typed("submit", "little.yaml", "--json", "--", "--keep-weights")
    assert json.loads(done.stdout)["study"] == "little"
    assert server.known[0].entrypoint.endswith(" --keep-weights")


def test_following_prints_the_log_and_ends_as_the_job(server: FakeServer) -> None:
    server.known = [job("little-1", "RUNNING", study="little")]
    server.logs = {"little-1": ["12 of 40 ", "stages done\n", "\x1b[31mred\n"]}
    server.ends_as = "FAILED"
    done = typed("logs", "little", "--follow")
    assert done.stdout == "12 of 40 stages done\n\\x1b[31mred\n"
    assert done.exit_code == 1 and "little-1: FAILED" in done.stderr


def test_a_second_submission_is_refused_or_follows_the_first(server: FakeServer) -> None:
    server.known = [job("little-1", "RUNNING", study="little")]
    server.logs = {"little-1": ["a line\n"]}
    assert "--join" in str(typed("submit", "little.yaml").exception)
    done = typed("submit", "little.yaml", "--join")
    assert "joined it" in done.stdout and "a line" in done.stdout and done.exit_code == 0
    assert server.shipped == {}


def test_a_follower_that_is_interrupted_leaves_the_job_alone(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.known = [job("little-1", "RUNNING", study="little")]

    def interrupted(_: str) -> Iterator[str]:
        yield "a line\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "follow", interrupted)
    done = typed("logs", "little", "-f")
    assert "little-1 goes on" in done.stderr and done.exit_code != 0
    assert server.known[0].state == "RUNNING"


def test_stop_asks_the_newest_job_and_tells_of_one_that_has_ended(server: FakeServer) -> None:
    server.known = [job("little-1", "STOPPED", study="little"), job("little-2", "RUNNING", study="little")]
    assert json.loads(typed("stop", "little.yaml", "--json").stdout)["stopped"] is True
    assert [one.state for one in server.known] == ["STOPPED", "STOPPED"]
    assert "ended already" in typed("stop", "little").stdout


def test_jobs_are_listed_with_their_studies(server: FakeServer) -> None:
    assert "no jobs" in typed("jobs").stdout
    server.known = [job("little-1", "RUNNING", study="little", started=1.0)]
    (only,) = json.loads(typed("jobs", "--json").stdout)
    assert (only["submission_id"], only["study"], only["state"]) == ("little-1", "little", "RUNNING")


def test_owner_and_priority_have_columns_where_somebody_said_one(server: FakeServer) -> None:
    server.known = [job("little-1", "RUNNING", study="little", started=1.0)]
    assert "owner" not in typed("jobs").stdout and "priority" not in typed("jobs").stdout
    assert typed("submit", "little.yaml", "--priority", "5", "--owner", "ada").exit_code != 0, "it runs already"
    server.become("little-1", "STOPPED")
    assert typed("submit", "little.yaml", "--priority", "5", "--owner", "ada").exit_code == 0
    headings, newest, *_ = typed("jobs").stdout.splitlines()
    assert headings.split()[2:4] == ["owner", "priority"] and newest.split()[2:4] == ["ada", "5"]
