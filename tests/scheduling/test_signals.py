"""Signals end a process as Ctrl-C does, wherever it is; handlers are put back; a second signal ends it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stilts.scheduling import signals

ROOT = Path(__file__).parents[2]


def heard(script: str, *numbers: signal.Signals, pause_s: float = 0.0) -> tuple[int, str]:
    """(status, output) of a script that prints a line when it is ready, and then gets the signals."""
    words = [sys.executable, "-c", "import signal, sys, time\nfrom stilts.scheduling import signals\n" + script]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    assert process.stdout is not None
    process.stdout.readline()
    for number in numbers:
        process.send_signal(number)
        time.sleep(pause_s)
    output, _ = process.communicate(timeout=30)
    return process.returncode, output


INTERRUPTED = """
signal.signal(signal.SIGINT, signal.default_int_handler)
with signals.handled():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(signals.cause(), signals.exit_status(), flush=True)
        signals.leave(signals.exit_status())
"""


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 130, "Interrupted 130"),
        (signal.SIGTERM, 143, "Ended by SIGTERM 143"),
        (signal.SIGHUP, 129, "Ended by SIGHUP 129"),
    ],
)
def test_a_signal_interrupts_and_gives_its_exit_status(number: signal.Signals, status: int, said: str) -> None:
    assert heard(INTERRUPTED, number) == (status, f"{said}\n")


ENDING = INTERRUPTED.replace("signals.leave(signals.exit_status())", "time.sleep(60)")


def test_a_second_signal_ends_at_once_and_says_so() -> None:
    status, said = heard(ENDING, signal.SIGTERM, signal.SIGTERM, pause_s=1.3)
    assert status == 143 and "Ended at once" in said and "Traceback" not in said


def test_the_same_request_that_comes_twice_is_one() -> None:
    """``timeout`` signals its child and then the group that the child is in."""
    script = ENDING.replace("time.sleep(60)\n    except", "time.sleep(60)\n    except").replace(
        "flush=True)\n        time.sleep(60)", "flush=True)\n        time.sleep(0.5)\n        signals.leave(7)"
    )
    assert heard(script, signal.SIGTERM, signal.SIGTERM, pause_s=0.1)[0] == 7


def test_what_is_ignored_stays_ignored() -> None:
    script = 'signal.signal(signal.SIGHUP, signal.SIG_IGN)\nwith signals.handled():\n    print("r", flush=True)\n'
    assert heard(script + "    time.sleep(0.5)\n    print(signals.received())", signal.SIGHUP) == (0, "None\n")


def test_what_is_held_is_finished_first_and_keeps_foreign_handlers_away() -> None:
    script = """
with signals.handled():
    try:
        with signals.held():
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(5))
            print("ready", flush=True)
            time.sleep(0.5)
            print("whole")
        print("never")
    except KeyboardInterrupt:
        print("then ended", flush=True)
        signals.leave(signals.exit_status())
"""
    assert heard(script, signal.SIGTERM) == (143, "whole\nthen ended\n")


LOOKING = """
with signals.handled():
    try:
        signals.look(within_s={within})
        print("ready", flush=True)
        time.sleep({step})
        print("whole")
        signals.look(within_s=60)
        print("never")
    except KeyboardInterrupt:
        print("ended", flush=True)
        signals.leave(signals.exit_status())
"""


def test_a_step_is_finished_where_the_next_look_was_promised() -> None:
    assert heard(LOOKING.format(within=30, step=0.5), signal.SIGTERM) == (143, "whole\nended\n")


def test_a_step_that_takes_longer_than_promised_is_broken_off() -> None:
    assert heard(LOOKING.format(within=0.5, step=60), signal.SIGTERM) == (143, "ended\n")


def test_a_library_hands_the_signal_on_to_who_had_it_before() -> None:
    script = """
with signals.handled():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("closed", flush=True)
print("never")
"""
    assert heard(script, signal.SIGTERM) == (-signal.SIGTERM, "closed\n")


def test_handlers_are_put_back_and_those_of_the_user_left_alone() -> None:
    def of_the_user(number: int, frame: object) -> None:
        raise AssertionError(number, frame)

    before = signal.signal(signal.SIGHUP, of_the_user)
    try:
        interrupt, end = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with signals.handled():
            assert signal.getsignal(signal.SIGHUP) is of_the_user
            assert signal.getsignal(signal.SIGTERM) is not end
        assert signal.getsignal(signal.SIGINT) is interrupt and signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed() -> None:
    seen = []

    def inside() -> None:
        with signals.handled(), signals.held():
            signals.look(within_s=1)
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)] and signals.received() is None
