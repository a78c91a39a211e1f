"""ProgressDisplay: a run as seen in the terminal: a live table on a screen, plain lines elsewhere.

Names and messages are shown as they are: nothing of them is read as Rich markup, or obeyed by the terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stilts.scheduling.events import Event, Happening, Snapshot, StageEvent
from stilts.search.work_source import Progress
from stilts.shown import shown

_LINE_EVERY_S = 10.0
_MAX_ROWS = 8
_STYLES = {
    Happening.FAILED: "red",
    Happening.RETRIED: "yellow",
    Happening.PRUNED: "cyan",
    Happening.INTERRUPTED: "yellow",
}


class ProgressDisplay:
    """Listens to a run (pass it as ``on_event``) while its context is open.

    On a terminal: counts, time left and the step of each running stage, drawn in place. Elsewhere: one line every ten
    seconds. Failures, retries, waits and the word at an interrupt are printed when they happen, in both.
    """

    def __init__(self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._last_line = clock()
        self._waiting: set[str] = set()
        self._snapshot: Snapshot | None = None

    def __enter__(self) -> ProgressDisplay:
        """Starts drawing."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops drawing, and leaves the last counts in one line."""
        self._live.stop()
        if self._snapshot is not None:
            self._print(summary_line(self._snapshot))

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if isinstance(event, Snapshot):
            self._show(event)
        elif event.happening not in (Happening.STARTED, Happening.DONE) and self._is_news(event):
            self._print(event_line(event), _STYLES.get(event.happening, ""))

    def _show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        if self._console.is_terminal:
            self._live.update(_panel(snapshot))
        elif self._clock() - self._last_line >= _LINE_EVERY_S:
            self._last_line = self._clock()
            self._print(summary_line(snapshot))

    def _is_news(self, event: StageEvent) -> bool:
        """A stage that waits for a lease says so every two seconds; once is enough."""
        if event.happening is not Happening.WAITING:
            return True
        first = event.stage_id not in self._waiting
        self._waiting.add(event.stage_id)
        return first

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(shown(line), style=style), soft_wrap=True)


def summary_line(snapshot: Snapshot) -> str:
    """``12 of 40 stages done, 2 running (train-mnli-0a1b 30 %), 1 failed, about 5 min left``."""
    progress = snapshot.progress
    steps = ", ".join(f"{one.stage_id} {_percent(one.step, one.steps)}".strip() for one in snapshot.running[:_MAX_ROWS])
    running = f", {progress.running} running" + (f" ({steps})" if steps else "")
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"{progress.done} of {progress.total} stages done{running}{failed}{_left(progress)}"


def event_line(event: StageEvent) -> str:
    """``failed train-mnli-0a1b: StoreError: ...``."""
    head = f"{event.happening.value} {event.stage_id}".strip()
    return f"{head}: {event.message}" if event.message else head


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _panel(snapshot: Snapshot) -> Group:
    progress = snapshot.progress
    failed = f", {progress.failed} failed" if progress.failed else ""
    head = f"{progress.done} of {progress.total} stages done, {progress.running} running{failed}{_left(progress)}"
    table = Table.grid(padding=(0, 2))
    for one in snapshot.running[:_MAX_ROWS]:
        steps = f"{one.step} / {one.steps}" if one.steps else "starting"
        table.add_row(Text(f"  {shown(one.stage_id)}"), ProgressBar(one.steps or 1, one.step, width=24), Text(steps))
    more = len(snapshot.running) - _MAX_ROWS
    rest = [Text(f"  and {more} more")] if more > 0 else []
    return Group(Text(head), ProgressBar(max(progress.total, 1), progress.done, width=60), table, *rest)


def _percent(step: int, steps: int) -> str:
    return f"{100 * step / steps:.0f} %" if steps else ""


def _left(progress: Progress) -> str:
    return "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
