"""``stilts doctor`` over the nodes of a cluster: all is well, and then each thing that can be wrong is, on one node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.lab import Lab
from tests.cluster.machines import Machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500), pytest.mark.usefixtures("apart")]
CHECKS = ["job server", "nodes", "versions", "token", "clocks", "disks", "GPUs", "ports", "roots", "folders", "store"]
# The clock of the node's Pythons, ahead by some minutes: what libfaketime does, without it.
_AHEAD = "import time\n_real = time.time\ntime.time = lambda: _real() + 1000\n"


def asked(cluster: Lab, *words: str, store: str | None = None) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status, and the findings by check."""
    options = ["--address=http://HEAD:8265", f"--store={store or cluster.store}", f"--tracking-uri={cluster.tracking}"]
    done = cluster.type("doctor", *options, *words, "--json", on=cluster.user)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return done.returncode, {one["check"]: one for one in json.loads(done.stdout)["findings"]}


def failed(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in found.items() if one["verdict"] == "failed"}


def test_a_cluster_that_is_well_passes_every_check(open_cluster: Lab) -> None:
    root = f"--root=data={open_cluster.folder}"
    status, found = asked(open_cluster, root)
    print(json.dumps(found, indent=1))
    assert (status, failed(found)) == (0, {})
    assert [*found] == [*CHECKS, "MLflow"]
    assert {name for name, one in found.items() if one["verdict"] == "not here"} == {"folders"}
    assert found["nodes"]["found"].startswith("3 ") and "each read what the others wrote" in found["store"]["found"]
    listed = "import s3fs; print(s3fs.S3FileSystem().find('stilts/stilts'))"
    left = open_cluster.user.run(["python", "-c", listed], **open_cluster.bucket.variables)
    assert left.stdout.strip() == "[]", left


def test_a_folder_that_is_each_node_s_own_is_no_store(open_cluster: Lab) -> None:
    disk = open_cluster.user.disk
    status, found = asked(open_cluster, f"--root=text={disk}/text", store=f"{disk}/store")
    assert status == 1 and [*failed(found)] == ["roots", "store"]
    assert "lies on the disk of another node" in found["store"]["found"] and "s3://" in found["store"]["advice"]
    assert "--root text=FOLDER" in found["roots"]["advice"]
    for machine in open_cluster.lan.machines.values():
        assert not [path for path in (machine.own / "disk").rglob("*") if path.is_file()]


def test_what_is_wrong_on_one_node_is_named_with_what_to_do(open_cluster: Lab) -> None:
    """One node that came with everything wrong that does not keep it from joining."""
    other = open_cluster.workers[0].machine

    def spoil(machine: Machine) -> None:
        (machine.own / "python/langcodes-0.1.dist-info").mkdir(parents=True)
        (machine.own / "python/langcodes-0.1.dist-info/METADATA").write_text("Name: langcodes\nVersion: 0.1\n")
        (machine.own / "python/sitecustomize.py").write_text(_AHEAD)
        machine.environment["PYTHONPATH"] = str(machine.own / "python")
        (machine.home / ".ray/auth_token").chmod(0o644)
        (machine.home / ".mlflow/credentials").unlink()
        full = machine.own / "full"
        full.mkdir()
        _typed(machine, "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", full)
        _typed(machine, "sh", "-c", f"head -c 8200000 /dev/zero > {full}/zeros")
        machine.environment["TMPDIR"] = str(full)
        _typed(machine, "ip", "route", "add", "blackhole", f"{other.address}/32")

    no_key = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    sick = open_cluster.add_worker("--num-cpus=1", "--num-gpus=2", prepared=spoil, **no_key)
    try:
        status, found = asked(open_cluster)
    finally:
        sick.machine.lose_power()
        open_cluster.workers.remove(sick)
    print(json.dumps(found, indent=1))
    name, wrong = sick.machine.name, failed(found)
    expected = {
        "versions": ("langcodes 0.1, not", "pip install -c constraints.txt"),
        "token": ("its mode is 644", f"chmod 600 {sick.machine.home}/.ray/auth_token"),
        "clocks": ("its clock is", "timedatectl"),
        "disks": (f"the disk of {sick.machine.own}/full", "--temp-dir"),
        "GPUs": ("Ray was told of 2 GPUs, and torch sees 0", "--num-gpus"),
        "ports": (f"it does not reach {other.name}", "every port"),
        "store": ("cannot use it", ""),
        "MLflow": ("401", ""),
    }
    assert status == 1 and wrong.keys() == expected.keys()
    for check, (words, step) in expected.items():
        assert name in wrong[check]["found"] and words in wrong[check]["found"], wrong[check]
        assert wrong[check]["advice"] and step in wrong[check]["advice"], wrong[check]


def test_a_token_that_others_can_read_is_told_with_what_mends_it(open_cluster: Lab) -> None:
    token = open_cluster.user.home / ".ray/auth_token"
    token.chmod(0o644)
    try:
        status, found = asked(open_cluster)
        refused = open_cluster.type("jobs", "--address=http://HEAD:8265", on=open_cluster.user)
    finally:
        token.chmod(0o600)
    assert status == 1 and f"chmod 600 {token}" in found["job server"]["advice"]
    assert refused.returncode == 2 and f"chmod 600 {token}" in refused.stderr


def _typed(machine: Machine, *words: object) -> None:
    done: subprocess.CompletedProcess[str] = machine.run(words)
    assert done.returncode == 0 or Path(str(words[0])).name == "sh", done.stderr
