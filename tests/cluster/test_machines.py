"""Machines of a lab are apart: own disks and processes, a network between them; nothing is left of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.machines import Lan, lan, until

pytestmark = pytest.mark.usefixtures("apart")
_ASK = "import urllib.request as r; print(r.urlopen('http://ONE:8000', timeout=3).status)"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Lan]:
    with lan(tmp_path) as made:
        made.machine("one")
        made.machine("two")
        yield made


def test_they_reach_each_other_by_name_until_a_cable_is_pulled(two: Lan) -> None:
    one, other = two.machines.values()
    server = one.start(["python", "-m", "http.server", "8000"])
    until(lambda: other.run(["python", "-c", _ASK]).stdout == "200\n", told=server.log.read_text)
    two.unplug(one)
    assert "timed out" in other.run(["python", "-c", _ASK]).stderr
    two.unplug(one, again=True)
    until(lambda: other.run(["python", "-c", _ASK]).stdout == "200\n")
    server.end()
    assert not server.alive() and not one.processes()


def test_each_has_a_disk_and_processes_of_its_own(two: Lan) -> None:
    one, other = two.machines.values()
    assert one.disk == other.disk
    assert one.run(["touch", one.disk / "file"]).returncode == 0
    assert one.run(["ls", one.disk]).stdout == "file\n" and other.run(["ls", other.disk]).stdout == ""
    assert [machine.run(["hostname"]).stdout for machine in (one, other)] == ["one\n", "two\n"]
    sleeper = one.start(["sleep", "1000"])
    assert [process.name() for process in one.processes()] == ["sleep"] and not other.processes()
    assert "sleep 1000" not in other.run(["ps", "-e", "-o", "args"]).stdout
    one.lose_power()
    assert not sleeper.alive()
    two.switch_on(one)
    assert one.run(["ls", one.disk]).stdout == "file\n", "its disk is that of before"


def test_nothing_is_left_of_them(tmp_path: Path) -> None:
    with lan(tmp_path) as made:
        started = made.machine("one").start(["sleep", "1000"])
        here = f"stilts-{made._token}"
        assert here in _links()
    assert not started.alive() and here not in _links()


def _links() -> str:
    return subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
