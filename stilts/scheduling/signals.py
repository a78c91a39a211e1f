"""Signals: SIGINT (Ctrl-C), SIGTERM and SIGHUP ask the process to end; one more of them ends it at once.

A signal becomes a KeyboardInterrupt in the main thread, whatever its number: everything ends as at Ctrl-C, with the
exit status of the signal (128 and its number). Who works in steps says so with ``look``, and is then let come to the
end of the step; who must not be broken off is ``held``. Handlers are put back, and a handler of the user's own is
left alone. Only here are signal handlers set.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_ASKING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
# ``timeout`` and ``uv run`` pass a signal on to the process and again to its group: that is one request.
_SAME_REQUEST_S = 1.0
_AGAIN_S = 0.02
# ``held`` stands in for it.
_set = signal.signal


class _Listener:
    """What was heard since the handlers were set, and when it may break in."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._since = 0.0
        self._raised = False
        self._held = 0
        self._look_by = 0.0
        self._insists = False
        self._timer: threading.Timer | None = None
        self._hook = sys.unraisablehook
        # Ignored ones stay so (nohup, jobs in the background), and so do handlers of the user's own.
        self._before = {number: now for number in _ASKING if _is_nobodys(now := signal.getsignal(number))}

    def install(self) -> None:
        for number in self._before:
            _set(number, self._hear)
        sys.unraisablehook = self._unraisable

    def restore(self) -> None:
        self.rest()
        sys.unraisablehook = self._hook
        for number, handler in self._before.items():
            _set(number, handler)

    def look(self, within_s: float) -> None:
        if self.received is not None:
            self._break_in()
        self._look_by = time.monotonic() + within_s

    def rest(self) -> None:
        self._look_by = 0.0
        if self._timer is not None:
            self._timer.cancel()

    def hold(self) -> None:
        self._held += 1

    def release(self) -> None:
        self._held -= 1

    @property
    def waits(self) -> bool:
        """Whether a signal came that has broken nothing off yet, and now may."""
        return self.received is not None and not self._raised and not self._held

    def _hear(self, number: int, _: Any) -> None:
        now = time.monotonic()
        if self._insists:
            self._insists = False
            if self.waits:
                self._break_in()
        elif self.received is None:
            self.received, self._since = number, now
            if now < self._look_by:
                self._insist_in(self._look_by - now)
            elif not self._held:
                self._break_in()
        elif now - self._since > _SAME_REQUEST_S:
            _end_at_once(128 + self.received)

    def _break_in(self) -> None:
        self.rest()
        self._raised = True
        raise KeyboardInterrupt

    def _unraisable(self, what: sys.UnraisableHookArgs) -> None:
        """Breaks in once more where it happened in a callback or a finaliser: Python drops what is raised there."""
        if self._raised and issubclass(what.exc_type, KeyboardInterrupt):
            self._raised = False
            self._insist_in(_AGAIN_S)
        else:
            self._hook(what)

    def _insist_in(self, seconds: float) -> None:
        def insist() -> None:
            self._insists = True
            # A real signal, so that it ends a sleep or a wait of the main thread too.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.Signals(self.received or signal.SIGINT))

        self._timer = threading.Timer(seconds, insist)
        self._timer.daemon = True
        self._timer.start()


_listener: _Listener | None = None


@contextmanager
def handled() -> Iterator[None]:
    """Hears signals while its context is open; does nothing inside another one, or outside the main thread.

    At its end the handlers of before are back, and SIGTERM or SIGHUP, if one came, goes on to them.
    """
    global _listener
    if _listener is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    _listener = listener = _Listener()
    listener.install()
    try:
        yield
    finally:
        _listener = None
        listener.restore()
        if listener.received not in (None, signal.SIGINT):
            signal.raise_signal(signal.Signals(listener.received))


@contextmanager
def held() -> Iterator[None]:
    """Keeps signals back while its context is open, and foreign handlers of them away: Ray sets one as it starts."""
    if _listener is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    listener, setter = _listener, signal.signal

    def others(number: Any, handler: Any) -> Any:
        return signal.getsignal(number) if number in _ASKING else setter(number, handler)

    listener.hold()
    signal.signal = others  # type: ignore[assignment]
    try:
        yield
    finally:
        signal.signal = setter
        listener.install()  # also over what was set beside Python
        listener.release()
    if listener.waits:
        raise KeyboardInterrupt


def look(within_s: float = 0.0) -> None:
    """Raises KeyboardInterrupt where a signal came; promises to look again within so many seconds.

    Until then a signal waits for the next look instead of breaking in.
    """
    if _listener is not None:
        _listener.look(within_s)


def rest() -> None:
    """Takes the promise of ``look`` back: a signal breaks in."""
    if _listener is not None:
        _listener.rest()


def received() -> int | None:
    """The number of the signal that came, None where none did."""
    return None if _listener is None else _listener.received


def exit_status() -> int:
    """The exit status of a process that was asked to end: 128 and the signal's number."""
    return 128 + (received() or signal.SIGINT)


def cause() -> str:
    """Why the process ends, as the beginning of a message."""
    number = received() or signal.SIGINT
    return "Interrupted" if number == signal.SIGINT else f"Ended by {signal.Signals(number).name}"


def leave(status: int) -> None:
    """Ends the process where a signal came, without the exit hooks of half-imported packages; else returns."""
    if received() is not None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        os._exit(status)


def _is_nobodys(handler: Any) -> bool:
    """Whether a handler is Python's own, or the one that Ray leaves behind."""
    ours = handler in (signal.SIG_DFL, signal.default_int_handler)
    return ours or str(getattr(handler, "__module__", "")).startswith("ray.")


def _end_at_once(status: int) -> None:
    """Ends the process from within a handler: no lock, no buffer, no exit hook. Ray's processes end with it."""
    cursor = b"\x1b[?25h\r\n" if os.isatty(2) else b""
    with suppress(OSError):
        os.write(2, cursor + b"Ended at once. What is done stays done; the same command goes on from there.\n")
    os._exit(status)
