"""Crew: the processes beside this one that work on its stages, kept from one stage to the next. No torch.

This process is rank 0 and alone holds lease, store and reporter. The others wait on a pipe for what is to be done, so
they are never longer in a collective than a step takes. They end when their pipe closes, when their parent is
gone, and on Linux with it at once; a signal to end they leave to rank 0. When one fails, all end: the next stage starts
new ones.
"""

from __future__ import annotations

import atexit
import os
import pickle
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from stilts.errors import RankError

# How long an error of rank 0 waits for the word of another rank that may have caused it: a process that ends says so
# within milliseconds, and one whose connection was lost has ended.
_WORD_S = 5.0
# How long a rank's word of a lost connection waits for that of the rank at its other end, which is the cause.
_OTHER_END_S = 2.0
_LOST = ("connection", "closed by peer", "broken pipe", "nccl")
# The module that a rank runs (``python -m``).
_MODULE = "stilts.training.rank_process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """What a rank sends before it ends: its error, pickled where that can be, and as text."""

    text: str
    error: bytes | None


class Crew:
    """The ranks from 1 on, as child processes. Commands go to all of them; what one sends back is kept until asked for.

    ``met`` is what came of meeting them. ``close`` ends them, and does ``on_close``: what of this process depends on
    them; ``on_failure`` is done at once when one fails, in another thread.
    """

    def __init__(self, size: int, device: str) -> None:
        self.size, self.device = size, device
        self.met: Any = None
        self.on_close: list[Callable[[], None]] = []
        self.on_failure: list[Callable[[], None]] = []
        self._failure: RankError | None = None
        self._has_failed, self._closing = threading.Event(), False
        self._inboxes: dict[int, queue.SimpleQueue[Any]] = {}
        self._pipes: dict[int, Connection] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        for rank in range(1, size):
            self._start(rank)

    @property
    def pids(self) -> list[int]:
        """The process ids of the ranks, from 1 on."""
        return [child.pid for child in self._children.values()]

    @property
    def is_whole(self) -> bool:
        """Whether no rank has failed or ended."""
        return not self._has_failed.is_set() and all(child.poll() is None for child in self._children.values())

    def tell(self, command: Any) -> None:
        """Sends a command to every rank; RankError where one has failed."""
        sent = pickle.dumps(command)
        for pipe in self._pipes.values():
            try:
                pipe.send_bytes(sent)
            except OSError as error:
                raise self.failure(_WORD_S) or error from error

    def receive(self, rank: int) -> Any:
        """The next value that a rank sends; RankError where a rank has failed instead."""
        value = self._inboxes[rank].get()
        if isinstance(value, RankError):
            self._inboxes[rank].put(value)
            raise value
        return value

    def failure(self, within_s: float = 0.0) -> RankError | None:
        """The failure of the first rank that failed, if one has, or does within so many seconds."""
        self._has_failed.wait(within_s)
        return self._failure

    def cause_of(self, error: BaseException) -> BaseException:
        """What made this process fail: a rank, where the error is one of connections, else the error itself."""
        if isinstance(error, RankError) or not isinstance(error, RuntimeError | OSError | EOFError):
            return error
        return self.failure(_WORD_S) or error

    def close(self) -> None:
        """Ends the ranks at once; what they hold lies with rank 0 and in the store."""
        self._closing = True
        for child in self._children.values():
            child.kill()
        for act in self.on_close:
            with suppress(RuntimeError):  # of connections that are lost
                act()
        for rank, child in self._children.items():
            child.wait()
            with suppress(OSError):
                self._pipes[rank].close()

    def _start(self, rank: int) -> None:
        ours, theirs = socket.socketpair()
        # The parent's way of finding modules: the child is not started by the script that this process was.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        thread = "main" if threading.current_thread() is threading.main_thread() else "another"
        numbers = (theirs.fileno(), os.getpid(), rank, self.size)
        self._children[rank] = subprocess.Popen(
            [sys.executable, "-m", _MODULE, *map(str, numbers), thread],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=2,  # what libraries print: a command's standard output is its answer
            env=environment,
        )
        theirs.close()
        self._pipes[rank], self._inboxes[rank] = Connection(ours.detach()), queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(rank,), name=f"stilts-rank-{rank}", daemon=True).start()

    def _listen(self, rank: int) -> None:
        """Keeps what a rank sends, until it ends."""
        try:
            while not isinstance(value := self._pipes[rank].recv(), Failed):
                self._inboxes[rank].put(value)
            if any(mark in value.text.lower() for mark in _LOST):
                self._has_failed.wait(_OTHER_END_S)
            self._fail(_failed(rank, self.size, value))
        except (OSError, EOFError, TypeError):  # TypeError: the pipe was closed while it was waited on
            status = None if self._closing else self._children[rank].wait()
            self._fail(_ended(rank, self.size, status))

    def _fail(self, failure: RankError) -> None:
        if self._closing or self._has_failed.is_set():
            return
        self._failure = failure
        self._has_failed.set()
        for inbox in self._inboxes.values():
            inbox.put(failure)
        for act in self.on_failure:
            act()


def _failed(rank: int, size: int, failed: Failed) -> RankError:
    cause: BaseException | None = None
    if failed.error is not None:
        with suppress(Exception):  # an exception whose class this process cannot make again
            cause = pickle.loads(failed.error)
    error = RankError(
        f"rank {rank} of a stage on {size} ranks",
        failed.text,
        "Each rank holds a part of the same step, so all of them ended with it",
        "What is published stays; the stage goes on from its last checkpoint when it is run again",
    )
    error.__cause__ = cause
    return error


def _ended(rank: int, size: int, status: int | None) -> RankError:
    how = f"by signal {-status}" if status is not None and status < 0 else f"with status {status}"
    return _failed(rank, size, Failed(text=f"its process ended {how}", error=None))


_crew: Crew | None = None


def crew_of(size: int, device: str, meet: Callable[[Crew], Any]) -> Crew:
    """The crew of this process: the one it has, where that is whole, as large and of that type of device, or a new one.

    ``meet`` is called with a new one; where it fails, that crew is ended.
    """
    global _crew
    if _crew is not None and _crew.is_whole and (_crew.size, _crew.device) == (size, device):
        return _crew
    end_crew()
    _crew = Crew(size, device)
    try:
        _crew.met = meet(_crew)
    except BaseException:
        end_crew()
        raise
    return _crew


def end_crew() -> None:
    """Ends the ranks of this process, if it has any."""
    global _crew
    crew, _crew = _crew, None
    if crew is not None:
        crew.close()


atexit.register(end_crew)
