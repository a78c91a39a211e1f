"""Adapters in study files: what is identity, what rests on what, and what cannot be meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import StudyError
from stilts.study.adapted import check_adapters
from stilts.study.memory import Placed, peak_memory
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.search_space import Proposal
from stilts.study.settings import search_space
from stilts.study.stage import TrainStage
from stilts.study.trained import adapter_bytes, trained_weights
from stilts.study.workload import workload
from stilts.tasks.adapter import AdapterConfig, ParentAdapter
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import parsed, resolved

LORA = {"adapter": {"rank": 4, "alpha": 8}}
ROWS = {"none": None, "mnli": {"train": LORA}, "hellaswag": None}


def plan_of(folder: Path, **changes: Any) -> Plan:
    fields = {"intermediates": ROWS, "targets": {"udpos": {"train": LORA}}, **changes}
    return make_plan(resolved(folder, **fields))


def line(plan: Plan, row: str) -> tuple[str, ...]:
    (cell,) = (one for one in plan.replicates if one.row == row)
    return plan.of(cell)


def tuned(plan: Plan, row: str) -> TrainStage:
    stage = plan.stages[line(plan, row)[-2]]
    assert isinstance(stage, TrainStage)
    return stage


def targets(**train: Any) -> dict[str, Any]:
    return {"targets": {"udpos": {"train": {**LORA, **train}}}}


# --- identity ---


def test_without_adapters_nothing_is_said_of_them(folder: Path) -> None:
    plan = make_plan(resolved(folder))
    assert "adapter" not in str([stage.payload for stage in plan.stages.values()])
    assert not any("rests_on" in facts for facts in plan.record.stages.values())


def test_every_field_of_an_adapter_is_identity(folder: Path) -> None:
    changes: list[dict[str, Any]] = [{}, {"rank": 5}, {"alpha": 9}, {"dropout": 0.1}, {"modules": ["key"]}]
    ids = [line(plan_of(folder, **targets(adapter={**LORA["adapter"], **change})), "none")[0] for change in changes]
    assert len(set(ids)) == len(ids)
    assert plan_of(folder).stages[ids[0]].payload["config"]["adapter"] == {  # type: ignore[index, call-overload]
        "rank": 4,
        "alpha": 8.0,
        "dropout": 0.0,
        "modules": ["query", "value"],
    }
    same = plan_of(folder, **targets(adapter={**LORA["adapter"], "modules": ["value", "query"]}))
    assert line(same, "none")[0] == ids[0], "their order says nothing"


def test_merged_stacked_and_dropped_are_three_stages_and_only_on_an_adapter(folder: Path) -> None:
    plans = {way: plan_of(folder, **targets(parent_adapter=way)) for way in ("merge", "stack", "drop")}
    assert len({line(plan, "mnli")[-2] for plan in plans.values()}) == 3
    for row in ("none", "hellaswag"):
        assert len({line(plan, row)[-2] for plan in plans.values()}) == 1, "no adapter lies below"
        assert tuned(plans["stack"], row).parent_adapter is None
    assert line(plan_of(folder), "mnli") == line(plans["merge"], "mnli")


def test_defaults_hold_field_by_field_and_a_row_may_train_in_full(folder: Path) -> None:
    defaults = {
        "intermediate": {"steps": 20, "adapter": {"rank": 2, "dropout": 0.2}},
        "target": {"steps": 10},
        "encoding": {"max_length": 96},
    }
    rows = {"none": None, "mnli": {"train": {"adapter": {"rank": 3}}}, "hellaswag": {"train": {"adapter": "none"}}}
    plan = plan_of(folder, defaults=defaults, intermediates=rows, targets={"udpos": None})
    found = {row: plan.stages[line(plan, row)[0]] for row in ("mnli", "hellaswag")}
    configs = {row: stage.config for row, stage in found.items() if isinstance(stage, TrainStage)}
    assert configs["mnli"].adapter == AdapterConfig(rank=3, alpha=16.0, dropout=0.2, modules=("query", "value"))
    assert configs["hellaswag"].adapter is None


def test_what_a_target_is_learned_after_is_merged_into_it(folder: Path) -> None:
    plan = plan_of(folder, targets={"xcopa_siqa": {"train": {**LORA, "parent_adapter": "drop"}}})
    recipe, before, after, _ = line(plan, "mnli")
    stages = [plan.stages[one] for one in (before, after)]
    treated = [stage.parent_adapter for stage in stages if isinstance(stage, TrainStage)]
    assert treated == [ParentAdapter.DROP, ParentAdapter.MERGE]
    assert plan.reads[before] == () and plan.reads[after] == (before,) and recipe not in plan.rests_on[after]


def test_numbers_of_an_adapter_are_searched(folder: Path) -> None:
    search = {"adapter_rank": {"choices": [2, 4]}, "target_adapter_dropout": {"low": 0, "high": 0.2}, "proposals": 2}
    fields = {"intermediates": {"none": None, "mnli": {"train": LORA, "search": search}}, **targets()}
    study = resolved(folder, **fields)
    content = study.study.rows["mnli"].search
    assert content is not None and set(search_space(content).params) == {"adapter_rank", "target_adapter_dropout"}
    drawn = [
        Proposal(number=number, params={"adapter_rank": rank, "target_adapter_dropout": 0.1})
        for number, rank in enumerate((2, 4))
    ]
    plan = make_plan(study, {"mnli": drawn})
    cells = [one for one in plan.replicates if one.row == "mnli"]
    stages = [[plan.stages[one] for one in plan.of(cell)[:2]] for cell in cells]
    ranks = [stage.config.adapter.rank for stage, _ in stages if isinstance(stage, TrainStage) and stage.config.adapter]
    assert ranks == [2, 4]
    last = stages[0][1]
    assert isinstance(last, TrainStage) and last.config.adapter == AdapterConfig(
        rank=4, alpha=8.0, dropout=0.1, modules=("query", "value")
    )


# --- what lies below ---


def test_an_adapter_rests_on_what_it_was_trained_on(folder: Path) -> None:
    plan = plan_of(folder)
    recipe, target, evaluation = line(plan, "mnli")
    assert plan.rests_on[target] == (recipe,) and plan.rests_on[recipe] == ()
    assert plan.reads[evaluation] == (target, recipe)
    assert plan.record.stages[target].get("rests_on") == [recipe]
    assert record_from_json(record_to_json(plan.record)) == plan.record
    dropped = plan_of(folder, **targets(parent_adapter="drop"))
    assert dropped.rests_on[line(dropped, "mnli")[1]] == ()


def test_what_an_adapter_rests_on_is_trained_again_before_it_is_read(folder: Path) -> None:
    plan = plan_of(folder, intermediates={"none": None, "mnli": {"train": LORA}})
    recipe, target, evaluation = line(plan, "mnli")
    others = {key for one in line(plan, "none") for key in plan.stages[one].outputs}
    done = {*others, recipe, target}
    assert plan.needed(done) == [evaluation]
    assert plan.needed(done, gone={recipe}) == [recipe, evaluation]
    assert plan.ready([recipe, evaluation], set()) == [recipe]
    assert plan.needed({*done, *plan.stages[evaluation].outputs}, gone={recipe, target}) == []
    dropped = plan_of(folder, intermediates={"none": None, "mnli": {"train": LORA}}, **targets(parent_adapter="drop"))
    recipe, target, evaluation = line(dropped, "mnli")
    assert dropped.needed({*others, recipe}, gone={recipe}) == [target, evaluation], "it reads nothing of the recipe"


# --- what cannot be meant ---

FULL = {"intermediates": {"none": None, "mnli": None}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing below": ({**FULL, **targets(parent_adapter="merge")}, "no row trains an adapter"),
    "nothing below, by default": (
        {**FULL, "defaults": {"intermediate": {"steps": 9}, "target": {"steps": 9, "parent_adapter": "drop"}}},
        "no row trains an adapter",
    ),
    "of a row": (
        {"intermediates": {"none": None, "mnli": {"train": {**LORA, "parent_adapter": "merge"}}}},
        "a row starts from the encoder itself",
    ),
    "a stack under nothing": (
        {"intermediates": ROWS, "targets": {"udpos": {"train": {"parent_adapter": "stack"}}}},
        "udpos trains all weights",
    ),
    "no such layer": (
        {"intermediates": {"none": None, "mnli": {"train": {"adapter": {"modules": ["query", "querry"]}}}}},
        '"querry" ends the name of no linear layer',
    ),
    "searched without an adapter": (
        {"intermediates": {"none": None, "mnli": {"search": {"adapter_rank": {"choices": [2, 4]}, "proposals": 2}}}},
        "mnli trains all weights",
    ),
    "searched of targets without": (
        {
            "intermediates": {
                "none": None,
                "mnli": {"search": {"target_adapter_rank": {"choices": [2, 4]}, "proposals": 2}},
            }
        },
        "udpos trains all weights",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_would_look_at_is_refused(case: str, folder: Path) -> None:
    fields, told = REFUSED[case]
    with pytest.raises(StudyError, match=told):
        study = resolved(folder, **{"targets": {"udpos": None}, **fields})
        check_adapters(study.study, lambda column: study.target(column).task.is_trained)
        make_plan(study)


def test_a_target_that_does_not_train_needs_no_adapter_to_search_those_of_others(folder: Path) -> None:
    search = {"target_adapter_rank": {"choices": [2, 4]}, "proposals": 2}
    columns = {"udpos": {"train": LORA}, "tatoeba": None}
    study = resolved(folder, intermediates={"none": None, "mnli": {"search": search}}, targets=columns)
    check_adapters(study.study, lambda column: study.target(column).task.is_trained)


@pytest.mark.parametrize("value", ["lora", {"rank": 0}, {"alpha": 0.0}, {"dropout": 1.0}, {"modules": []}, {"r": 8}])
def test_what_is_no_adapter_is_refused_with_its_field(value: Any, folder: Path) -> None:
    with pytest.raises(StudyError, match=r"intermediates\.mnli\.train\.adapter"):
        parsed(folder, intermediates={"mnli": {"train": {"adapter": value}}})


def test_the_weights_of_an_adapter_are_counted_from_the_encoders_layers(folder: Path) -> None:
    linear = resolved(folder).encoder.adapter_sites.linear  # 4 layers, 32 channels, 64 inside
    assert linear is not None and len(linear) == 4 * 6
    assert AdapterConfig(rank=2, modules=("query", "value")).num_weights(linear) == 4 * 2 * 2 * 64
    everywhere = AdapterConfig(rank=2, modules=("dense", "key", "query", "value"))
    assert everywhere.num_weights(linear) == 4 * 2 * (4 * 64 + 2 * 96)
    assert AdapterConfig(rank=2, modules=("output.dense",)).num_weights(linear) == 4 * 2 * (64 + 96)


def test_an_adapter_needs_less_memory_time_and_disk(folder: Path) -> None:
    plan = plan_of(folder)
    adapted, full = tuned(plan, "none"), plan.stages[line(plan, "hellaswag")[0]]
    assert isinstance(full, TrainStage) and adapter_bytes(full) is None
    same = replace(full, config=replace(full.config, adapter=adapted.config.adapter))
    small, large = (peak_memory(stage, Placed(on_gpu=False)) for stage in (same, full))
    assert (
        small is not None
        and large is not None
        and small.moments * 10 < large.moments
        and small.weights == large.weights
    )
    assert workload(same).flops == pytest.approx(workload(full).flops * 4 / 6)
    assert trained_weights(same) == 4 * 4 * 2 * 64
