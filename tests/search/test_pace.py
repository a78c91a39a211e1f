"""Time left, from the first measured step on."""

from __future__ import annotations

from typing import Any

import pytest

from stilts.search.pace import Pace
from stilts.search.work_source import Measured
from stilts.study.planning import make_plan
from stilts.study.stage import Stage
from tests.study.toy_study import resolved, write_encoder_folder


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    found = make_plan(resolved(folder, intermediates={"none": None, "mnli": None}), {}).stages
    return dict(list(found.items())[:4])


def left(stages: dict[str, Stage], coming: int = 0, **changes: Any) -> float | None:
    fields: dict[str, Any] = {"known": lambda stage: None, "assumed": lambda stage: 10.0, "running": {}, **changes}
    return Pace(**fields).seconds_left(stages, list(stages.values())[:coming])


def test_nothing_is_said_before_a_step_is_measured(stages: dict[str, Stage]) -> None:
    assert left(stages) is None


def test_a_measured_step_says_how_far_off_arithmetic_is(stages: dict[str, Stage]) -> None:
    running = {next(iter(stages)): Measured(whole_s=40.0, left_s=30.0)}
    assert left(stages, running=running) == 30.0 + 3 * 4 * 10.0
    assert left(stages, coming=2, running=running) == 30.0 + 5 * 4 * 10.0


def test_what_was_done_before_is_known_without_any_step(stages: dict[str, Stage]) -> None:
    assert left(stages, known=lambda stage: 7.0) == 4 * 7.0
    first = next(iter(stages.values()))
    some = left(stages, known=lambda stage: 5.0 if stage is first else None)
    assert some == 5.0 + 3 * 0.5 * 10.0


def test_nothing_left_takes_no_time(stages: dict[str, Stage]) -> None:
    assert left({}) == 0.0
