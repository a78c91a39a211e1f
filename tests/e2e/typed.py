"""Verbs typed in this process, where a dozen of them would spend their time on imports; each within a time limit."""

from __future__ import annotations

import contextlib
import io
import json
import resource
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from stilts.cli.ending import disk_explained
from stilts.cli.main import app
from stilts.errors import StiltsError

LIMIT_S = 60.0
# More than any verb takes for a small study, far less than what a bomb unfolds to.
_MOST_MIB = 1024


class TooSlow(BaseException):
    """A verb did not end in time; nothing that catches exceptions catches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a verb printed, and its status; ``fault`` is the traceback where it ended by an error of no message."""

    words: tuple[str, ...]
    status: int
    out: str
    err: str
    fault: str = ""

    @property
    def value(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)

    def flaw(self) -> str:
        """What is wrong with how it ended, "" where it gave an answer or one message."""
        if self.fault:
            return f"{self.words} ended in\n{self.fault}"
        if self.status not in (0, 1, 2) or "Traceback" in self.err:
            return f"{self.words} ended with {self.status}: {self.err}"
        if self.status and not self.err.strip() and not self.out.strip():
            return f"{self.words} ended with {self.status} and said nothing"
        return ""


def typed(*words: object, limit_s: float = LIMIT_S) -> Typed:
    """What a verb prints, as ``stilts`` itself ends it."""
    given = tuple(map(str, words))
    out, err, status, fault = io.StringIO(), io.StringIO(), 0, ""
    before = _most_mib()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with _limited(limit_s), disk_explained():
                app(list(given), prog_name="stilts")
        except StiltsError as error:
            print(f"{type(error).__name__}: {error}", file=err)
            status = error.exit_code
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            fault = traceback.format_exc()
    if _most_mib() - before > _MOST_MIB:
        fault += f"\nIt took {_most_mib() - before:.0f} MiB."
    # That a verb takes long says nothing of the store.
    said = "".join(line for line in err.getvalue().splitlines(keepends=True) if not line.endswith(" ...\n"))
    return Typed(words=given, status=status, out=out.getvalue(), err=said, fault=fault)


@contextlib.contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    """Ends what takes longer with ``TooSlow``; the alarm of pytest-timeout goes on afterwards."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TooSlow(f"it did not end within {limit_s:g} s")

    started, handler = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    left, _ = signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, max(0.1, left - time.monotonic() + started) if left else 0.0)


def _most_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
