"""Follower: keeps MLflow up with the store while a study runs, from another process, and never in the run's way.

The store holds all that is to be shown, so that nothing is kept for later: whatever could not be shown, the next round
shows, or ``stilts track``. ``rounds.py`` is the other process. Neither imports MLflow.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stilts.addresses import without_secrets
from stilts.shown import remark
from stilts.tracking.ray_job import passed_on
from stilts.tracking.rounds import FINISHED, NEWS

# Importing MLflow and making its tables takes some ten seconds of a core: a short study has that after its last stage.
_FIRST_AFTER_S = 30.0
_EVERY_S = 15.0


class Follower:
    """A Tracker that has ``command`` show the study at most every ``every_s`` seconds, and at its end.

    ``command`` is ``stilts track STUDY``; ``addresses`` are the variables that say where: an address may hold secrets,
    and a command line is read by everyone. The first round is not before ``first_after_s``. A round that took long is
    followed by a pause nine times as long, so that a large study is not compared with MLflow without end. What a
    round says that fails is told once.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        addresses: Mapping[str, str],
        first_after_s: float = _FIRST_AFTER_S,
        every_s: float = _EVERY_S,
    ) -> None:
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        self._addresses = tuple(addresses.values())
        self._shown: bool | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stilts.tracking.rounds", str(first_after_s), str(every_s), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **addresses, **passed_on(os.environ), "PYTHONPATH": path},
            # A session of its own: Ctrl-C and the end of a terminal are for the run.
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._ears, self._mouth = self._process.stdin.fileno(), self._process.stdout.fileno()
        for end in (self._ears, self._mouth):
            os.set_blocking(end, False)

    def notify(self) -> None:
        """Passes the news on; where the process has not heard of earlier news yet, there is no need."""
        if self._shown is not None:
            return
        with contextlib.suppress(OSError):  # full, or gone
            os.write(self._ears, NEWS)
        with contextlib.suppress(OSError):  # nothing was said
            self._tell(os.read(self._mouth, 65536))

    def close(self, *, finished: bool, timeout_s: float) -> bool:
        """Whether MLflow shows how the run ended. Where it does not in time, the process goes on by itself."""
        if self._shown is None:
            self._shown = False  # also when a signal ends the waiting
            with contextlib.suppress(subprocess.TimeoutExpired):
                said, _ = self._process.communicate(FINISHED if finished else None, timeout_s)
                self._tell(said)
                self._shown = self._process.returncode == 0
        return self._shown

    def _tell(self, said: bytes) -> None:
        for line in without_secrets(said.decode(errors="replace"), *self._addresses).splitlines():
            remark(f"MLflow: {line}")
