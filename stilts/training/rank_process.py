"""What a rank's process runs (``python -m``): commands of rank 0, one after the other, until its pipe closes.

A command is a value with ``serve(member)`` (``following.py``). A signal to end is rank 0's to answer: it saves a
checkpoint, for which it needs this process, and then ends it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import queue
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from stilts.training.crew import Failed

# prctl(2): the signal that the kernel sends when the thread that started this process ends.
_PR_SET_PDEATHSIG = 1
# How often a rank looks whether its parent is still the process that started it.
_LOOK_S = 1.0


def main(descriptor: int, parent: int, rank: int, size: int, from_main: bool) -> None:
    """Serves rank 0 until it is gone."""
    _end_with(parent, from_main)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pipe, inbox = Connection(descriptor), queue.SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=(pipe, inbox, parent), daemon=True).start()
    try:
        _serve(pipe, inbox, rank, size)
    except BaseException as error:
        _tell(pipe, error)
    # Its connections close with the process: whoever waits for them hears of it. Exit hooks might wait for the others.
    os._exit(1)


def _serve(pipe: Connection, inbox: queue.SimpleQueue[bytes], rank: int, size: int) -> None:
    from stilts.training.following import Member

    member = Member(rank=rank, size=size, reply=pipe.send)
    while True:
        command: Any = pickle.loads(inbox.get())
        command.serve(member)
        del command


def _listen(pipe: Connection, inbox: queue.SimpleQueue[bytes], parent: int) -> None:
    """Takes commands as they come; ends the process when nobody is left to send any."""
    with suppress(OSError, EOFError):
        while True:
            while not pipe.poll(_LOOK_S):
                if os.getppid() != parent:
                    os._exit(0)
            inbox.put(pipe.recv_bytes())
    os._exit(0)


def _tell(pipe: Connection, error: BaseException) -> None:
    with suppress(OSError):
        text = f"{type(error).__name__}: {error}"
        try:
            pickled: bytes | None = pickle.dumps(error)
        except Exception:  # an error that holds what cannot travel is told by its text
            pickled = None
        pipe.send(Failed(text=text, error=pickled))


def _end_with(parent: int, from_main: bool) -> None:
    """Has the kernel end this process with its parent; where that one's main thread started it, which stays."""
    if sys.platform == "linux" and from_main:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    _descriptor, _parent, _rank, _size = map(int, sys.argv[1:5])
    main(_descriptor, _parent, _rank, _size, sys.argv[5] == "main")
