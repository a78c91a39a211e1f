"""A stage that says nothing for too long is found, once, and a driver that heard nobody accuses nobody."""

from __future__ import annotations

import pytest

from stilts.scheduling.silence import Silence


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def silence(now: list[float]) -> Silence:
    silence = Silence(10.0, clock=lambda: now[0])
    for stage_id in ("quiet", "talking"):
        silence.heard(stage_id)
    return silence


def test_only_what_says_nothing_is_found_and_once(silence: Silence, now: list[float]) -> None:
    found = []
    for second in range(1, 30):
        now[0] = float(second)
        silence.heard("talking")
        found += [(second, one) for one in silence.look(["quiet", "talking", "never begun"])]
    assert found == [(11, "quiet")]


def test_a_driver_that_was_stopped_itself_accuses_nobody(silence: Silence, now: list[float]) -> None:
    now[0] = 3600.0
    assert silence.look(["quiet", "talking"]) == []


def test_a_stage_that_begins_again_has_its_time(silence: Silence, now: list[float]) -> None:
    now[0] = 4.0
    silence.look([])
    silence.heard("quiet")
    for second in (8.0, 12.0):
        now[0] = second
        assert silence.look(["quiet"]) == []
    assert "silent_s" in silence.error()
