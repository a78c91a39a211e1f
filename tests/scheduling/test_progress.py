"""What a watcher reads, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from stilts.scheduling.events import Happening, Phase, Snapshot, StageEvent, StageStep
from stilts.scheduling.progress import ProgressDisplay, duration, summary_line
from stilts.search.work_source import Progress

SNAPSHOT = Snapshot(
    progress=Progress(total=40, done=12, running=2, failed=1, seconds_left=300.0, coming=8),
    running=(StageStep(stage_id="train-[red]mnli", step=30, steps=100), StageStep(stage_id="train-b")),
)


NAMES = {"train-a": "mnli > xnli, seed 2", "train-c": "none > xnli, seed 0"}
SUMMARY = "12 of 40 stages done, 2 running (train-[red]mnli: 30 %; train-b), 1 failed, about 5 min left"


def test_a_log_gets_one_line_every_ten_seconds_and_bad_news_at_once() -> None:
    now, text = [0.0], io.StringIO()
    console = Console(file=text, width=200)
    with ProgressDisplay(console, names=lambda: NAMES, clock=lambda: now[0]) as display:
        display(Phase(doing="starting Ray"))
        for now[0] in (1.0, 2.0, 11.0, 12.0):
            display(SNAPSHOT)
        display(StageEvent(happening=Happening.DONE, stage_id="train-a", seconds=3.0))
        display(StageEvent(happening=Happening.FAILED, stage_id="train-a", message="StoreError: [bold]full[/bold]"))
        for _ in range(3):
            display(StageEvent(happening=Happening.WAITING, stage_id="train-c", message="LeaseHeldError: held"))
    assert text.getvalue().splitlines() == [
        "starting Ray ...",
        "40 stages, 8 of them to be planned on the way: 12 done, 28 to run, about 5 min left",
        SUMMARY,
        "failed mnli > xnli, seed 2 (train-a): StoreError: [bold]full[/bold]",
        "waiting none > xnli, seed 0 (train-c): LeaseHeldError: held",
        "12 of 40 stages done, 1 failed",
    ]


def test_stages_are_called_by_their_cells() -> None:
    step = StageStep(stage_id="train-a", step=3, steps=4)
    snapshot = Snapshot(progress=SNAPSHOT.progress, running=(step,))
    assert "(mnli > xnli, seed 2: 75 %)" in summary_line(snapshot, NAMES)
    text = io.StringIO()
    with ProgressDisplay(Console(file=text, width=120, force_terminal=True), names=lambda: NAMES) as display:
        display(snapshot)
    assert "mnli > xnli, seed 2" in text.getvalue() and "train-a" not in text.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_what_was_drawn_ends_in_a_whole_line_under_an_error_too(terminal: bool) -> None:
    text = io.StringIO()
    with (
        pytest.raises(RuntimeError),
        ProgressDisplay(Console(file=text, width=120, force_terminal=terminal)) as display,
    ):
        display(SNAPSHOT)
        raise RuntimeError
    assert text.getvalue().endswith("12 of 40 stages done, 1 failed\n")


def test_nothing_is_said_of_stages_where_the_run_did_not_come_so_far() -> None:
    text = io.StringIO()
    with ProgressDisplay(Console(file=text)) as display:
        display(Phase(doing="checking"))
    assert text.getvalue() == "checking ...\n"


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
