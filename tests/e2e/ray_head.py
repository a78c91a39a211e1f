"""A Ray cluster of one node with a job server, behind a token, on loopback: for tests that submit."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.e2e.studies import ROOT, environment
from tests.e2e.watching import watched

# What ray[default] brings beside Ray: without these the head has no job server.
NEEDED = ("aiohttp_cors", "colorful", "opencensus", "prometheus_client", "grpc", "smart_open")
_UP_WITHIN_S = 120.0


def lacking() -> list[str]:
    """The modules of ray[default] that are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]


@dataclass(frozen=True, kw_only=True)
class RayHead:
    """A running head; ``env`` is what a shell needs to talk to it."""

    address: str
    gcs: str
    env: dict[str, str]
    node_env: dict[str, str]
    temp: str


@contextmanager
def ray_head(folder: Path, *, num_cpus: int = 1) -> Iterator[RayHead]:
    """A head that is up, and gone afterwards with all of its processes; what its Pythons do, ``folder/watch`` tells."""
    token = folder / "token"
    token.write_text(secrets.token_hex(16))
    token.chmod(0o600)
    shell = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"}
    # Not the repository's own path: jobs are to run the code that was shipped.
    path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and Path(part) != ROOT]
    near = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inside = watched(folder / "watch")
    inside["PYTHONPATH"] = os.pathsep.join([inside["PYTHONPATH"], *path])
    env = {**environment(**shell), **inside, "PATH": near}
    gcs, dashboard, *others = free_ports(6)
    temp = tempfile.mkdtemp(prefix="stilts-ray-", dir="/tmp")  # a socket's path has at most 107 letters
    names = (
        "dashboard-agent-listen-port",
        "dashboard-agent-grpc-port",
        "metrics-export-port",
        "runtime-env-agent-port",
    )
    words = [f"--{name}={port}" for name, port in zip(names, others, strict=True)]
    words += [f"--port={gcs}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1", f"--temp-dir={temp}"]
    words += ["--node-ip-address=127.0.0.1", f"--num-cpus={num_cpus}", "--object-store-memory=100000000"]
    with open(folder / "head.log", "w") as log:
        head = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ray.scripts.scripts",
                "start",
                "--head",
                "--block",
                "--disable-usage-stats",
                *words,
            ],
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        try:
            _wait_for(head, dashboard, folder / "head.log")
            yield RayHead(
                address=f"http://127.0.0.1:{dashboard}",
                gcs=f"127.0.0.1:{gcs}",
                env={**environment(**shell), "PYTHONPATH": os.pathsep.join([str(ROOT), *path])},
                node_env=env,
                temp=temp,
            )
        finally:
            _end(head, temp)
            shutil.rmtree(temp, ignore_errors=True)


@contextmanager
def ray_node(head: RayHead, folder: Path, *, num_cpus: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """One more node, on the same machine, by its first process; it is there at the latest when a job counts it."""
    words = ["--node-ip-address=127.0.0.1", f"--num-cpus={num_cpus}", "--object-store-memory=100000000"]
    with open(folder / "node.log", "a") as log:
        node = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={head.gcs}", "--block", *words],
            env=head.node_env,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        try:
            yield node
        finally:
            node.send_signal(signal.SIGTERM)
            try:
                node.wait(30)
            except subprocess.TimeoutExpired:
                node.kill()


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens at now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait_for(head: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < deadline:
        assert head.poll() is None, log.read_text()
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError(log.read_text())


def _end(head: subprocess.Popen[bytes], temp: str) -> None:
    """Ends the head by its pid, and what it left by the folder that only its processes name."""
    head.send_signal(signal.SIGTERM)
    try:
        head.wait(30)
    except subprocess.TimeoutExpired:
        head.kill()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if temp.encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue
