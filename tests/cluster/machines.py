"""Machines on this machine: each with network, processes, host name and disk of its own, joined by a bridge.

They are Linux namespaces, which root can make. Where that is not possible, all share this machine's loopback
interface, and ``Lan.apart`` is False: ports are then any free ones. A machine ends with all of its processes, as by a
power cut; so do all of them where the process of the tests is killed. Nothing of them is left, no interface either.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil

from tests.e2e.ray_head import free_ports
from tests.e2e.studies import ROOT, environment

_TOOLS = ("ip", "nsenter", "setpriv", "unshare")
# Dies with the thread that started it: whoever kills the tests ends the machines.
_BOUND = ("setpriv", "--pdeathsig", "KILL", "--")
_MARK = "STILTS_TEST_MACHINE"
# For benchmarks of networks (RFC 2544): no machine has a route there.
_NETWORK = "198.18"
_BOOT = """
set -e
hostname "$NAME"
ip link set lo up
mount --bind "$OWN/hosts" /etc/hosts
mkdir -p /tmp/ray
mount --bind "$OWN/ray" /tmp/ray
mount --bind "$OWN/disk" "$DISK"
echo up
exec env --ignore-signal=CHLD sleep infinity # children of whoever died are not to stay as zombies
"""
_HUB = "ip link add bridge type bridge && ip link set bridge up && echo up && exec sleep infinity"


@cache
def not_apart() -> str | None:
    """Why machines cannot be told apart here; None where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root of a Linux can make network namespaces"
    if lacking := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(lacking)} not installed"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--pid", "--mount", "--fork", "--mount-proc", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        text=True,
    )
    return None if tried.returncode == 0 else f"namespaces are refused: {tried.stderr.strip()}"


def until(
    what: Callable[[], bool], *, within_s: float = 120.0, every_s: float = 0.2, told: Callable[[], str] = str
) -> None:
    """Waits for what must happen; AssertionError with what is told where it does not."""
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, told()
        time.sleep(every_s)


@dataclass(kw_only=True)
class Running:
    """A process that was started on a machine; ``log`` is what it printed."""

    process: psutil.Process
    started: psutil.Popen
    log: Path

    def alive(self) -> bool:
        return is_alive(self.process)

    def end(self, number: int = signal.SIGTERM, *, within_s: float = 30.0) -> None:
        """Sends the signal to it and what it started, and is back when they are gone: killed if they stay."""
        family = self._family()
        self.resume()
        _signalled(family, number)
        deadline = time.monotonic() + within_s
        while any(map(is_alive, family)) and time.monotonic() < deadline:
            time.sleep(0.1)
        killed(family)
        self.started.wait(10)

    def pause(self) -> None:
        """Stops it in its tracks (SIGSTOP), with what it started, until ``resume``."""
        _signalled(self._family(), signal.SIGSTOP)

    def resume(self) -> None:
        _signalled([self.started, *self._family()], signal.SIGCONT)  # nsenter stops with its child

    def _family(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []


@dataclass(kw_only=True)
class Machine:
    """One machine: ``address`` is where the others reach it, ``own`` the folder behind its disk, home and /tmp/ray."""

    name: str
    address: str
    own: Path
    disk: Path
    environment: dict[str, str]
    init: psutil.Process | None = None
    _space: str = ""
    _ports: dict[int, int] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.own / "home"

    def port(self, usual: int) -> int:
        """Where what usually listens at a port listens here: there, or at a free one of the loopback interface."""
        if self.init is not None:
            return usual
        return self._ports.setdefault(usual, free_ports(1)[0])

    def at(self, usual: int) -> str:
        """``NAME:PORT``, or ``127.0.0.1:PORT``."""
        return f"{self.name if self.init is not None else self.address}:{self.port(usual)}"

    def run(
        self, words: Sequence[object], *, cwd: Path | None = None, timeout: float = 300.0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """What the command printed, typed on this machine in its home."""
        env = {**self.environment, **variables}
        return subprocess.run(
            self._inside(words, cwd), env=env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
        )

    def start(self, words: Sequence[object], *, cwd: Path | None = None, **variables: str) -> Running:
        """The command, running on this machine; its output goes to a file named as its program."""
        log = self.own / f"{Path(str(words[0])).name}-{secrets.token_hex(3)}.log"
        with log.open("w") as stream:
            started = psutil.Popen(
                self._inside(words, cwd),
                env={**self.environment, **variables},
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=self.init is None,
            )
        if self.init is None:
            return Running(process=started, started=started, log=log)
        until(lambda: bool(started.children()) or started.poll() is not None, within_s=10, told=log.read_text)
        assert started.poll() is None, log.read_text()
        return Running(process=started.children()[0], started=started, log=log)

    def processes(self, named: str = "") -> list[psutil.Process]:
        """The machine's processes, or those whose program has that name; its first one, which does nothing, apart."""
        found = [one for one in psutil.process_iter() if self._has(one)]
        return [one for one in found if not named or _program(one) == named]

    def lose_power(self) -> None:
        """Ends all at once (SIGKILL), and takes the machine off the network."""
        if self.init is None:
            killed(self.processes())
            return
        _signalled([self.init], signal.SIGKILL)
        until(lambda: not self.processes(), within_s=30, told=lambda: f"{self.processes()} outlive {self.name}")
        self._space = ""  # the system gives its number to the next namespace that is made

    def _has(self, process: psutil.Process) -> bool:
        try:
            if self.init is None:
                return process.environ().get(_MARK) == self.environment[_MARK]
            return process.pid != self.init.pid and _pid_space(process.pid) == self._space and is_alive(process)
        except (psutil.Error, OSError):
            return False

    def begun(self, init: psutil.Process) -> None:
        """Notes the first process of a machine that was switched on."""
        self.init, self._space = init, _pid_space(init.pid)

    def _inside(self, words: Sequence[object], cwd: Path | None) -> list[str]:
        there = ["env", "-C", str(cwd or self.home), *map(str, words)]
        if self.init is None:
            return there
        return ["nsenter", f"--target={self.init.pid}", "--net", "--uts", "--pid", "--mount", "--", *there]


@dataclass(kw_only=True)
class Lan:
    """The machines of a test and what joins them; ``folder/disk`` is on each of them a disk of its own."""

    folder: Path
    apart: bool
    subnet: str = ""
    machines: dict[str, Machine] = field(default_factory=dict)
    _hub: psutil.Popen | None = None
    _token: str = field(default_factory=lambda: secrets.token_hex(3))

    def machine(self, name: str, *, path: Sequence[Path] = ()) -> Machine:
        """A machine of this name, switched on. Its Pythons find what ``path`` names, and what is installed."""
        number = len(self.machines) + 2
        own = self.folder / name
        for part in ("home", "disk", "ray"):
            (own / part).mkdir(parents=True)
        (self.folder / "disk").mkdir(exist_ok=True)
        made = Machine(
            name=name,
            address=f"{self.subnet}.{number}" if self.apart else "127.0.0.1",
            own=own,
            disk=self.folder / "disk" if self.apart else own / "disk",
            environment={},
        )
        made.environment |= self._environment(made, path)
        self.machines[name] = made
        for one in self.machines.values():  # in place: it is mounted
            (one.own / "hosts").write_text(self._hosts())
        self.switch_on(made)
        return made

    def switch_on(self, machine: Machine) -> None:
        """Boots a machine, for the first time or after it lost power: its disk and address are those of before."""
        if not self.apart:
            return
        variables = {"NAME": machine.name, "OWN": str(machine.own), "DISK": str(machine.disk)}
        boot = psutil.Popen(
            [*_BOUND, *"unshare --net --uts --pid --mount --fork --mount-proc --kill-child=KILL sh -c".split(), _BOOT],
            env={"PATH": os.environ["PATH"], **variables},
            stdout=subprocess.PIPE,
            stderr=(machine.own / "boot.log").open("w"),
            start_new_session=True,
        )
        assert boot.stdout is not None and boot.stdout.readline() == b"up\n", f"{machine.name} does not boot"
        (init,) = boot.children()
        machine.begun(init)
        leg = f"m{machine.address.rpartition('.')[2]}"
        self._in_hub("ip", "link", "add", leg, "type", "veth", "peer", "name", "eth0", "netns", init.pid)
        self._in_hub("ip", "link", "set", leg, "master", "bridge", "up")
        for words in (f"addr add {machine.address}/24 dev eth0", "link set eth0 up"):
            _checked("nsenter", f"--target={init.pid}", "--net", "ip", *words.split())

    def unplug(self, machine: Machine, *, again: bool = False) -> None:
        """Takes the machine's cable out; with ``again`` puts it back."""
        assert self.apart, "machines that share an interface have no cables"
        self._in_hub("ip", "link", "set", f"m{machine.address.rpartition('.')[2]}", "up" if again else "down")

    def _environment(self, machine: Machine, path: Sequence[Path]) -> dict[str, str]:
        before = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and Path(part) != ROOT]
        ours = {name: value for name, value in environment().items() if not name.lower().endswith("_proxy")}
        return ours | {
            "HOME": str(machine.home),
            "XDG_CACHE_HOME": str(machine.home / ".cache"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([*map(str, path), *before]),
            _MARK: f"{self._token}-{machine.name}",
        }

    def _hosts(self) -> str:
        lines = [f"{one.address} {one.name} {one.name.upper()}" for one in self.machines.values()]
        return "\n".join(["127.0.0.1 localhost", *lines, ""])

    def _in_hub(self, *words: object) -> None:
        assert self._hub is not None
        _checked("nsenter", f"--target={self._hub.pid}", "--net", *words)

    def begin(self) -> None:
        """The bridge, in a namespace of its own, and this machine's leg into it."""
        self._hub = psutil.Popen([*_BOUND, "unshare", "--net", "sh", "-c", _HUB], stdout=subprocess.PIPE)
        assert self._hub.stdout is not None and self._hub.stdout.readline() == b"up\n"
        taken = subprocess.run(["ip", "-4", "addr"], capture_output=True, text=True, check=True).stdout
        free = [f"{_NETWORK}.{number}" for number in range(1, 255) if f"{_NETWORK}.{number}." not in taken]
        self.subnet = secrets.choice(free)
        here = f"stilts-{self._token}"
        self._in_hub("ip", "link", "add", "here", "type", "veth", "peer", "name", here, "netns", os.getpid())
        self._in_hub("ip", "link", "set", "here", "master", "bridge", "up")
        _checked("ip", "addr", "add", f"{self.subnet}.1/24", "dev", here)
        _checked("ip", "link", "set", here, "up")

    def end(self) -> None:
        for machine in self.machines.values():
            machine.lose_power()
        if self._hub is not None:
            subprocess.run(["ip", "link", "delete", f"stilts-{self._token}"], capture_output=True)
            self._hub.kill()
            self._hub.wait(10)


@contextmanager
def lan(folder: Path, *, apart: bool | None = None) -> Iterator[Lan]:
    """Machines below a folder, apart where this machine can (or as it is told); gone afterwards."""
    made = Lan(folder=folder, apart=not_apart() is None if apart is None else apart)
    with ExitStack() as stack:
        stack.callback(made.end)
        if made.apart:
            made.begin()
        yield made


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not."""
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def killed(processes: Sequence[psutil.Process]) -> None:
    """Ends them by SIGKILL, and is back when none of them runs."""
    _signalled(processes, signal.SIGKILL)
    until(lambda: not any(map(is_alive, processes)), within_s=30, told=lambda: f"{processes} cannot be killed")


def _signalled(processes: Sequence[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _program(process: psutil.Process) -> str:
    """The name of what a process runs; for Ray's Pythons, which name themselves, the first word of that."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    return Path(words[0].split()[0]).name if words and words[0].split() else ""


def _pid_space(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/pid")


def _checked(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stderr}"
