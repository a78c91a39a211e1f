"""Who has no token, no account and another name is let in nowhere; who has them is, or these tests could not fail."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.cluster.lab import Lab
from tests.cluster.machines import Machine
from tests.e2e.studies import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500), pytest.mark.usefixtures("apart")]
KNOCKING = ROOT / "tests/cluster/knocking.py"
# What a service says to who shows nothing, or to calls that are another service's.
_REFUSED = {"UNAUTHENTICATED", "UNIMPLEMENTED", "UNAVAILABLE", "401", "403"}
# What is served to everybody: numbers for Prometheus, whatever is asked for. SECURITY.md says so.
_NUMBERS = "200 # HELP"
# The dashboard's page before anybody has shown a token: it holds nothing of the cluster.
_EMPTY_PAGE = ("/", "200 <!doctype html>")
# The doors by what is asked for there; the second is what who has the token hears.
_GCS, _RAYLET, _WORKER = (
    "NodeInfoGcsService/GetAllNodeInfo",
    "NodeManagerService/GetNodeStats",
    "CoreWorkerService/GetCoreWorkerStats",
)
_INIT = "import ray; ray.init({address!r}, logging_level='ERROR'); print(len(ray.nodes()), 'nodes')"


@pytest.fixture(scope="module")
def stranger(open_cluster: Lab) -> Machine:
    """A machine in the same network, with nothing in its home."""
    return open_cluster.lan.machine("stranger")


def knocked(machine: Machine, host: Machine, ports: list[int], token: str | None = None) -> dict[int, dict[str, str]]:
    shown = {} if token is None else {"TOKEN": token}
    done = machine.run(["python", KNOCKING, host.address, *ports], timeout=600, **shown)
    assert done.returncode == 0, done.stderr
    return {int(port): answers for port, answers in json.loads(done.stdout).items()}


def listening(machine: Machine) -> dict[str, int]:
    found: dict[str, int] = json.loads(machine.run(["python", KNOCKING]).stdout)
    return found


def let_in(answers: dict[int, dict[str, str]]) -> dict[int, dict[str, str]]:
    """What was answered otherwise than by a refusal, but for numbers."""
    heard = {
        port: {
            what: said
            for what, said in of_port.items()
            if said not in _REFUSED
            and not said.startswith(_NUMBERS)
            and not (what == _EMPTY_PAGE[0] and said.startswith(_EMPTY_PAGE[1]))
        }
        for port, of_port in answers.items()
    }
    return {port: said for port, said in heard.items() if said}


def test_no_port_of_a_node_lets_in_who_has_no_token_or_another(open_cluster: Lab, stranger: Machine) -> None:
    token = (open_cluster.user.home / ".ray/auth_token").read_text()
    for machine in (open_cluster.head.machine, open_cluster.workers[0].machine):
        ports = listening(machine)
        assert any("raylet" in name for name in ports), ports
        with_token = knocked(stranger, machine, [*ports.values()], token)
        for shown in (None, "0" * len(token)):
            without = knocked(stranger, machine, [*ports.values()], shown)
            print(machine.name, {name: sorted(set(without[port].values())) for name, port in ports.items()})
            assert let_in(without) == {}
            numbers = [port for port in without if any(said.startswith(_NUMBERS) for said in without[port].values())]
            assert all(set(map(len, without[port].values())) and without[port].keys() for port in numbers)
            refused = {port for port in without if {"UNAUTHENTICATED", "401"} & set(without[port].values())}
            # Each port that refuses lets in who has the token, and nobody else decides that.
            assert {port for port in refused if with_token[port] == without[port]} == set()
        heard = {
            call: said for of_port in with_token.values() for call, said in of_port.items() if said[:3] in ("OK", "200")
        }
        wanted = {_RAYLET} | ({_GCS, "/api/version", "/api/jobs/"} if machine is open_cluster.head.machine else set())
        assert wanted <= heard.keys(), heard
    assert 6379 in listening(open_cluster.head.machine).values()


@pytest.mark.parametrize("shown", ["nothing", "another token", "the token"])
@pytest.mark.parametrize(
    "door",
    [
        "GCS by ray.init",
        "GCS by ray status",
        "job API by ray job list",
        "job API by stilts",
        "client port",
        "ray start",
    ],
)
def test_ray_itself_gets_in_with_the_token_only(door: str, shown: str, open_cluster: Lab, stranger: Machine) -> None:
    head, dashboard = "HEAD:6379", "http://HEAD:8265"
    words: dict[str, list[Any]] = {
        "GCS by ray.init": ["python", "-c", _INIT.format(address=head)],
        "GCS by ray status": ["ray", "status", f"--address={head}"],
        "job API by ray job list": ["ray", "job", "list", f"--address={dashboard}"],
        "job API by stilts": ["python", "-m", "stilts.cli.main", "jobs", f"--address={dashboard}"],
        "client port": ["python", "-c", _INIT.format(address="ray://HEAD:10001")],
        "ray start": ["ray", "start", f"--address={head}", "--num-cpus=0"],
    }
    if door == "ray start" and shown == "the token":
        pytest.skip("the workers of this cluster came that way")
    token = (open_cluster.user.home / ".ray/auth_token").read_text()
    variables = {
        "nothing": {},
        "another token": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * len(token)},
        "the token": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token},
    }[shown]
    done = stranger.run(["timeout", "90", *words[door]], PYTHONPATH=str(ROOT), **variables)
    said = done.stdout + done.stderr
    if shown == "the token" and door == "GCS by ray.init":
        # It read the table of nodes, and found that the stranger's machine is none.
        assert "No node info found" in said, said
    elif shown == "the token":
        assert done.returncode == 0, said
    else:
        assert done.returncode != 0 and "nodes" not in done.stdout.split() and "No node info found" not in said, said
        assert done.returncode != 124 or door == "ray start", f"it hangs: {said}"


def test_mlflow_wants_an_account_and_its_own_name_and_its_database_is_out_of_reach(
    open_cluster: Lab, stranger: Machine
) -> None:
    path = "/api/2.0/mlflow/experiments/search?max_results=1"
    password = (open_cluster.folder / "secrets/mlflow_password").read_text()
    account = base64.b64encode(f"stilts:{password}".encode()).decode()
    code = f"""
import sys, urllib.error, urllib.request
request = urllib.request.Request("http://mlflow:5000{path}", headers=dict(word.split("=", 1) for word in sys.argv[1:]))
try:
    print(urllib.request.urlopen(request, timeout=30).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""

    def asked(**headers: str) -> int:
        words = [f"{name}={value}" for name, value in headers.items()]
        return int(stranger.run(["python", "-c", code, *words]).stdout)

    assert asked() == 401
    assert asked(Authorization="Basic " + base64.b64encode(b"admin:password1234").decode()) == 401
    assert asked(Authorization=f"Basic {account}", Host="evil.example") == 403
    assert asked(Host="evil.example") == 403
    assert asked(Authorization=f"Basic {account}") == 200
    code = "import socket; socket.create_connection(('MLFLOW', 5432), timeout=5)"
    assert "Connection refused" in stranger.run(["python", "-c", code]).stderr
