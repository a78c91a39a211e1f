"""What a watcher reads, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from stilts.scheduling.events import Happening, Snapshot, StageEvent, StageStep
from stilts.scheduling.progress import ProgressDisplay, duration
from stilts.search.work_source import Progress

SNAPSHOT = Snapshot(
    progress=Progress(total=40, done=12, running=2, failed=1, seconds_left=300.0),
    running=(StageStep(stage_id="train-[red]mnli", step=30, steps=100), StageStep(stage_id="train-b")),
)


def test_a_log_gets_one_line_every_ten_seconds_and_bad_news_at_once() -> None:
    now, text = [0.0], io.StringIO()
    with ProgressDisplay(Console(file=text, width=200), clock=lambda: now[0]) as display:
        for now[0] in (1.0, 2.0, 11.0, 12.0):
            display(SNAPSHOT)
        display(StageEvent(happening=Happening.DONE, stage_id="train-a", seconds=3.0))
        display(StageEvent(happening=Happening.FAILED, stage_id="train-a", message="StoreError: [bold]full[/bold]"))
        for _ in range(3):
            display(StageEvent(happening=Happening.WAITING, stage_id="train-c", message="LeaseHeldError: held"))
    lines = text.getvalue().splitlines()
    summary = "12 of 40 stages done, 2 running (train-[red]mnli 30 %, train-b), 1 failed, about 5 min left"
    assert lines == [
        summary,
        "failed train-a: StoreError: [bold]full[/bold]",
        "waiting train-c: LeaseHeldError: held",
        summary,
    ]


def test_a_terminal_gets_a_live_picture_without_reading_names_as_markup() -> None:
    text = io.StringIO()
    with ProgressDisplay(Console(file=text, width=120, force_terminal=True)) as display:
        display(SNAPSHOT)
        display(StageEvent(happening=Happening.INTERRUPTED, message="Run the same command again [/]."))
    output = text.getvalue()
    assert "train-[red]mnli" in output and "30 / 100" in output and "about 5 min left" in output
    assert "Run the same command again [/]." in output


@pytest.mark.parametrize("terminal", [False, True])
def test_names_and_messages_that_try_to_act_are_text(terminal: bool) -> None:
    text, bad = io.StringIO(), "\x1b]0;PWNED\x07\u202e"
    snapshot = Snapshot(progress=SNAPSHOT.progress, running=(StageStep(stage_id=f"train-{bad}", step=3, steps=9),))
    with ProgressDisplay(Console(file=text, width=200, force_terminal=terminal)) as display:
        display(snapshot)
        display(StageEvent(happening=Happening.FAILED, stage_id=f"train-{bad}", message=f"DataError: {bad}\ndone"))
    lines = text.getvalue()
    assert not {"\x07", "\u202e"} & set(lines) and "\x1b]" not in lines
    assert r"failed train-\x1b]0;PWNED\x07\u202e: DataError: \x1b]0;PWNED\x07\u202e\ndone" in lines
    assert terminal or "\x1b" not in lines


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text
