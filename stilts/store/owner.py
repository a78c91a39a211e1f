"""Owner: which process on which machine holds a lease, and whether that process is certainly dead.

A process is known by its pid *and* its start time, since pids are used again. Another machine, or another
container on this one (its own pid namespace), can never be judged from here: only whether its heartbeat goes on.
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from stilts.fingerprint import Json

# What any system can give at most: a pid_t has 31 bits, a host's name 253 characters (RFC 1035).
_LAST_PID, _LONGEST_HOST, _LONGEST_TEXT = 2**31 - 1, 253, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process: ``machine`` names host, boot and pid namespace; ``started`` is the system's own start time.

    ``job`` is the Ray job that it works for, "" where it is none.
    """

    host: str
    machine: str
    pid: int
    started: str
    job: str = ""

    @classmethod
    def this_process(cls, job: str = "") -> Owner:
        """The process that asks."""
        pid = os.getpid()
        return cls(host=platform.node(), machine=_machine(), pid=pid, started=_started(pid) or "", job=job)

    @classmethod
    def parse(cls, value: Json) -> Owner:
        """The owner that ``as_json`` wrote; what is missing or odd is empty, so that its heartbeat alone counts."""
        fields = value if isinstance(value, dict) else {}
        text = {name: _text(fields.get(name)) for name in ("machine", "started")}
        told = {name: _shown(_text(fields.get(name))) for name in ("host", "job")}
        return cls(pid=_pid(fields.get("pid")), **told, **text)

    def as_json(self) -> dict[str, Json]:
        """The fields as plain JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.job:
            return f"job {self.job}"
        known = self.pid and self.host
        return f"process {self.pid} on {self.host}" if known else "a process that its record does not name"

    def is_dead(self) -> bool:
        """Whether the process certainly runs no more; False where this machine cannot know."""
        if not self.machine or self.machine != _machine() or self.pid < 1:
            return False
        started = _started(self.pid)
        if started is None:
            return True
        return bool(started and self.started) and started != self.started


def _pid(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LAST_PID:
        return value
    return 0


def _text(value: Json) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else ""


def _shown(text: str) -> str:
    """The text without what a terminal would obey or could not print."""
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_HOST])


@cache
def _machine() -> str:
    """Host name, boot id and pid namespace; empty when the boot cannot be told."""
    boot = _boot()
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{platform.node()}|{boot}|{namespace}" if boot else ""


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _command("sysctl", "-n", "kern.boottime")  # macOS and the BSDs


def _started(pid: int) -> str | None:
    """The process's start time as the system counts it; empty when not known, None when it is dead or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _started_elsewhere(pid)
    # After the command's name come fields 3 (state) and up; 22 is the start time (man 5 proc).
    return None if fields[0] in ("Z", "X") else fields[19]


def _started_elsewhere(pid: int) -> str | None:
    """As ``_started`` on systems whose /proc is absent or hides other users' processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return _command("ps", "-o", "lstart=", "-p", str(pid))


def _command(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
