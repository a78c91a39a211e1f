"""The process beside a run that has its study shown: ``python -m stilts.tracking.rounds FIRST_S EVERY_S COMMAND...``.

``follower.py`` starts it. It runs ``stilts track STUDY`` as a child: every so often while there is news, and once more
when the run has ended, never two at once. Its standard input is the run's: a byte says that there is something new, and
the end of it that the run is over. Nobody need say so: the input of a run that was killed ends too. What a child
said as it failed goes to standard output. It imports neither MLflow nor anything else that is large: it mostly sleeps.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from stilts.addresses import without_secrets

# What a run says: that there is something new, and that it came to its own end.
NEWS, FINISHED = b"n", b"f"
# While a study runs its runs alone are kept up: what is made of them all would be made again and again.
_RUNNING = ("--running", "--runs-only")
# On a machine whose cores all train, MLflow gets what they leave.
_LOWEST_PRIORITY = 19
# How many times as long as a round the pause behind it is, and the longest pause in seconds.
_REST, _LONGEST_PAUSE_S = 9.0, 600.0
# Beyond this a round hangs, in seconds: MLflow gives up by itself after minutes.
_LONGEST_ROUND_S = 3600.0
_MOST_SAID = 4000


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Runs the command that shows a study, and says once what it says when it fails."""

    command: Sequence[str]
    _told: str = field(default="")

    def show(self, *options: str, niceness: int) -> bool:
        """Whether the command, with these options, came to a good end."""
        status, said = self._ended([*self.command, *options], niceness)
        if status == 0:
            return True
        said = without_secrets(said).strip()[-_MOST_SAID:] or f"{self.command[0]} ended with status {status}"
        if said != self._told:
            self._told = said
            with contextlib.suppress(OSError):  # the run is gone
                os.write(1, f"{said}\n".encode())
        return False

    def _ended(self, words: Sequence[str], niceness: int) -> tuple[int, str]:
        try:
            ended = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
                timeout=_LONGEST_ROUND_S,
                preexec_fn=partial(os.nice, niceness),
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            return 1, str(error)
        return ended.returncode, ended.stderr


def follow(rounds: Rounds, *, first_after_s: float, every_s: float) -> bool:
    """Shows the study until its run has ended, and then as one that has; whether that last round was good.

    A run that came to its own end waits for the last round, in which all is shown: matrix, answer and champions too.
    """
    pause_s, good = first_after_s, True
    while (finished := _is_finished(pause_s, news=not good)) is None:
        started = time.monotonic()
        good = rounds.show(*_RUNNING, niceness=_LOWEST_PRIORITY)
        pause_s = max(every_s, min(_REST * (time.monotonic() - started), _LONGEST_PAUSE_S))
    if finished:
        return rounds.show("--stopped", niceness=0)
    return rounds.show("--stopped", "--runs-only", niceness=_LOWEST_PRIORITY)


def _is_finished(pause_s: float, *, news: bool) -> bool | None:
    """None once there is news and the pause is over; before that, at its end, whether the run came to it by itself."""
    due = time.monotonic() + pause_s
    while select.select([0], [], [], max(0.0, due - time.monotonic()) if news else None)[0]:
        said = os.read(0, 65536)
        if not said or FINISHED in said:
            return FINISHED in said
        news = True
    return None


def main() -> None:
    """Follows the study until its run has ended; status 1 where MLflow does not show the end of it."""
    # Ray sends it to all that a job started, and a service manager to a whole group: the run says when it is over.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    first_after_s, every_s, *command = sys.argv[1:]
    good = follow(Rounds(command=command), first_after_s=float(first_after_s), every_s=float(every_s))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
