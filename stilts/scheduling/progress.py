"""ProgressDisplay: a run as seen in the terminal: a live table on a screen, plain lines elsewhere.

Stages are called by their cells. Names and messages are shown as they are: nothing of them is read as Rich markup, or
obeyed by the terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stilts.scheduling.events import Event, Fact, Happening, Phase, Snapshot, StageEvent
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
# What the user may have to look into: its line has the stage's id too, as `stilts explain` takes it.
_LOOKED_INTO = {Happening.FAILED, Happening.RETRIED, Happening.WAITING}


class ProgressDisplay:
    """Listens to a run (pass it as ``on_event``) while its context is open.

    On a terminal: counts, time left and the step of each running stage, drawn in place. Elsewhere: the first counts,
    then one line every ten seconds. What the run begins, failures, retries, waits and the word at an interrupt are
    printed when they happen, in both. ``names`` gives what stages are called, by id; it is asked at each event.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        names: Callable[[], Mapping[str, str]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True)
        self._clock = clock
        self.names = names
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._last_line: float | None = None
        self._waiting: set[str] = set()
        self._snapshot: Snapshot | None = None

    def __enter__(self) -> ProgressDisplay:
        """Starts listening; it draws from the first counts on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipes what was drawn, and leaves the last counts in one whole line."""
        self._live.stop()
        if self._snapshot is not None:
            self._print(final_line(self._snapshot.progress))

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if isinstance(event, Phase):
            self._print(f"{event.doing} ...")
        elif isinstance(event, Fact):
            self._print(event.line)
        elif isinstance(event, Snapshot):
            self._show(event)
        elif event.happening not in (Happening.STARTED, Happening.DONE) and self._is_news(event):
            self._print(event_line(event, self.names()), _STYLES.get(event.happening, ""))

    def _show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        now = self._clock()
        if self._last_line is None:
            self._last_line = now
            self._print(first_line(snapshot.progress))
        elif not self._console.is_terminal and now - self._last_line >= _LINE_EVERY_S:
            self._last_line = now
            self._print(summary_line(snapshot, self.names()))
        if self._console.is_terminal:
            self._live.start()
            self._live.update(_panel(snapshot, self.names()))

    def _is_news(self, event: StageEvent) -> bool:
        """A stage that waits for a lease says so every two seconds; once is enough."""
        if event.happening is not Happening.WAITING:
            return True
        first = event.stage_id not in self._waiting
        self._waiting.add(event.stage_id)
        return first

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(shown(line), style=style), soft_wrap=True)


def first_line(progress: Progress) -> str:
    """``43 stages, 15 of them to be planned on the way: 2 done, 41 to run, about 5 min left``."""
    coming = f", {progress.coming} of them to be planned on the way" if progress.coming else ""
    to_run = progress.total - progress.done
    return f"{progress.total} stages{coming}: {progress.done} done, {to_run} to run{_left(progress)}"


def summary_line(snapshot: Snapshot, names: Mapping[str, str]) -> str:
    """``12 of 40 stages done, 2 running (mnli > xnli, seed 2: 30 %), 1 failed, about 5 min left``."""
    progress = snapshot.progress
    steps = "; ".join(
        names.get(one.stage_id, one.stage_id) + _percent(one.step, one.steps) for one in snapshot.running[:_MAX_ROWS]
    )
    running = f", {progress.running} running" + (f" ({steps})" if steps else "")
    return f"{progress.done} of {progress.total} stages done{running}{_failed(progress)}{_left(progress)}"


def final_line(progress: Progress) -> str:
    """``12 of 40 stages done, 1 failed``: nothing runs any more."""
    return f"{progress.done} of {progress.total} stages done{_failed(progress)}"


def event_line(event: StageEvent, names: Mapping[str, str]) -> str:
    """``failed mnli > xnli, seed 2 (train-mnli-0a1b): StoreError: ...``."""
    name = names.get(event.stage_id, event.stage_id)
    also = f" ({event.stage_id})" if event.happening in _LOOKED_INTO and name != event.stage_id else ""
    head = f"{event.happening.value} {name}{also}".strip()
    return f"{head}: {event.message}" if event.message else head


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _panel(snapshot: Snapshot, names: Mapping[str, str]) -> Group:
    progress = snapshot.progress
    counts = f"{progress.done} of {progress.total} stages done, {progress.running} running"
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="ellipsis", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for one in snapshot.running[:_MAX_ROWS]:
        steps = f"{one.step} / {one.steps}" if one.steps else "starting"
        name = shown(names.get(one.stage_id, one.stage_id))
        table.add_row(Text(f"  {name}"), ProgressBar(one.steps or 1, one.step, width=24), Text(steps))
    more = len(snapshot.running) - _MAX_ROWS
    rest = [Text(f"  and {more} more")] if more > 0 else []
    head = Text(f"{counts}{_failed(progress)}{_left(progress)}")
    return Group(head, ProgressBar(max(progress.total, 1), progress.done, width=60), table, *rest)


def _percent(step: int, steps: int) -> str:
    return f": {100 * step / steps:.0f} %" if steps else ""


def _failed(progress: Progress) -> str:
    return f", {progress.failed} failed" if progress.failed else ""


def _left(progress: Progress) -> str:
    return "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
