"""Nodes of a Ray cluster, each started by a ``ray start`` of its own, typed into a shell of its machine."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

import psutil

from tests.cluster.machines import Machine, killed, until

# Where a node's own parts listen: fixed, since two nodes of one interface would each take the same.
_AGENTS = ("dashboard-agent-listen-port", "dashboard-agent-grpc-port", "metrics-export-port", "runtime-env-agent-port")

# Ray 2.60 gives a node 30 s, which a busy machine does not keep.
_TOO_SLOW = "timed out during startup"


class RayNode:
    """A node; ``lines`` are typed into a shell of its machine, the last of them a ``ray start``."""

    def __init__(self, machine: Machine, lines: Sequence[str], variables: Mapping[str, str], *words: str) -> None:
        self.machine, self._variables = machine, dict(variables)
        *before, start = lines
        self._lines = [*before, shlex.join([*shlex.split(start), *self._ports(), *words])]

    def start(self, **variables: str) -> None:
        """Starts it, with more variables where given; it has joined the cluster then."""
        for last in (False, False, True):
            done = self.machine.run(["sh", "-euc", "\n".join(self._lines)], **self._variables, **variables)
            if done.returncode == 0 or last or _TOO_SLOW not in done.stderr:
                break
            killed(self.machine.processes())
        assert done.returncode == 0, done.stdout + done.stderr
        until(lambda: bool(self.raylets()), within_s=30, told=lambda: done.stdout)

    def stop(self) -> None:
        """Ends the node as ``ray stop`` does its own, and is back when none of its processes is left."""
        for raylet in self.raylets():
            raylet.terminate()
        until(lambda: not self.raylets(), within_s=30)
        killed(self.machine.processes())

    def kill(self) -> None:
        """Kills every process of the node at once; its machine stays on."""
        killed(self.machine.processes())

    def kill_raylet(self) -> None:
        """Kills the raylet alone: the node's other processes find out by themselves."""
        killed(self.raylets())

    def raylets(self) -> list[psutil.Process]:
        return self.machine.processes("raylet")

    def workers(self) -> list[psutil.Process]:
        """Processes in which stages run now, or did."""
        return [one for one in self.machine.processes() if _said(one).startswith("ray::")]

    def _ports(self) -> list[str]:
        if self.machine.init is not None:
            return []
        ports = [f"--{name}={self.machine.port(number)}" for number, name in enumerate(_AGENTS, start=20_000)]
        return [*ports, "--node-ip-address=127.0.0.1"]


def _said(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
