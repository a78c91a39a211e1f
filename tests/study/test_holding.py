"""What stages hold: by kind, row and column; and that no id looks at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.study.cost import estimate
from stilts.study.holding import Holding
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.slots import Node, Resources
from stilts.study.stage import StageKind
from tests.study.toy_study import resolved, write_encoder_folder

ROWS = {"none": None, "mnli": {"resources": {"gpus": 4}}, "hellaswag": None}
HELD: dict[str, Any] = {"cpus": 2, "gpus": 1, "evaluate": {"cpus": 1, "gpus": 0.5}, "estimate": {"gpus": 0}}
NODES = [Node(cpus=2), *[Node(cpus=32, gpus=8)] * 8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def planned(folder: Path, **changes: Any) -> tuple[Holding, Plan]:
    study = resolved(folder, **{"intermediates": ROWS, **changes})
    plan, holding = make_plan(study, {}), Holding(file=study.study.file)
    holding.planned(plan)
    return holding, plan


def test_a_training_holds_what_its_row_or_column_says_and_all_else_what_its_kind_does(folder: Path) -> None:
    columns = {"udpos": {"languages": ["en"], "resources": {"cpus": 6}}, "tatoeba": None}
    holding, plan = planned(folder, intermediates=ROWS, targets=columns, resources=HELD)
    held: dict[str, set[Resources]] = {}
    for one in plan.replicates:
        if one.intermediate_stage is not None:
            held.setdefault(one.row, set()).add(holding(plan.stages[one.intermediate_stage]))
        if one.target_stage is not None:
            held.setdefault(one.column, set()).add(holding(plan.stages[one.target_stage]))
        held.setdefault("evaluate", set()).add(holding(plan.stages[one.evaluate_stage]))
    assert held == {
        "mnli": {Resources(cpus=2, gpus=4)},
        "hellaswag": {Resources(cpus=2, gpus=1)},
        "udpos": {Resources(cpus=6, gpus=1)},
        "evaluate": {Resources(cpus=1, gpus=0.5)},
    }
    assert holding.of_kind(StageKind.ESTIMATE) == Resources(cpus=2, gpus=0)
    assert holding.classes == tuple(Resources(cpus=c, gpus=g) for c, g in ((2, 4), (6, 1), (2, 1), (1, 0.5)))
    assert holding.most_gpus == 4


def test_a_stage_that_several_rows_share_holds_the_most_that_one_asks_for(folder: Path) -> None:
    rows = {"none": None, "mnli": {"resources": {"gpus": 2}}, "again": {"task": "mnli", "resources": {"gpus": 4}}}
    holding, plan = planned(folder, intermediates=rows, resources={"gpus": 1})
    [trained] = {one.intermediate_stage for one in plan.replicates if one.intermediate_stage is not None}
    assert holding(plan.stages[trained]).gpus == 4


def test_no_id_looks_at_what_kinds_rows_and_columns_hold(folder: Path) -> None:
    _, mixed = planned(folder, intermediates=ROWS, resources={"cpus": 1, "train": {"gpus": 2}, "evaluate": {"cpus": 4}})
    _, bare = planned(folder, intermediates={row: None for row in ROWS}, resources={"cpus": 1})
    assert list(mixed.stages) == list(bare.stages)


def test_a_study_that_says_nothing_more_has_one_class(folder: Path) -> None:
    holding, plan = planned(folder, intermediates={row: None for row in ROWS}, resources={"cpus": 2, "gpus": 1})
    assert holding.classes == (Resources(cpus=2, gpus=1),) == tuple({holding(one) for one in plan.stages.values()})


def test_so_many_of_each_class_run_at_once_and_those_without_gpus_beside_them(folder: Path) -> None:
    holding, _ = planned(folder, intermediates=ROWS, estimates=["logme"], resources={**HELD, "max_gpus": 32})
    at_once = {held: holding.at_once(held, NODES) for held in holding.classes}
    assert list(at_once.values()) == [8, 32, 64, 1], "four GPUs, one, a half, and none: on the head"
    assert holding.most_open(NODES) == 32, "of trainings"
    assert holding.homeless(NODES[:1]) == [held for held in holding.classes if held.gpus]


def test_hours_are_the_sum_of_the_classes_each_as_many_at_once_as_it_can(folder: Path) -> None:
    holding, plan = planned(folder, intermediates=ROWS, resources=HELD)
    cost = estimate(
        plan,
        frozenset(),
        frozenset(),
        measured=lambda stage: 3600.0,
        assumed=lambda stage: 3600.0,
        held=holding,
        concurrent={
            Resources(cpus=2, gpus=4): 1,
            Resources(cpus=2, gpus=1): 2,
            Resources(cpus=1, gpus=0.5): 4,
        }.__getitem__,
        gpu_hour_price=None,
        artifact_bytes=lambda stage: 0,
    )
    held = [holding(stage) for stage in plan.stages.values()]
    large, ones, halves = (sum(one.gpus == gpus for one in held) for gpus in (4, 1, 0.5))
    assert large == 1 and large + ones + halves == len(held)
    assert cost.hours == pytest.approx(large + ones / 2 + halves / 4)
    assert cost.gpu_hours == pytest.approx(4 * large + ones + halves / 2)
