"""Mixtures: shares by size, a share of masked LM beside them, and what a searched row makes of its proposals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.errors import InputError
from stilts.study.chains import mixture
from stilts.study.mixing import beside, by_size
from stilts.study.planning import make_plan
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_space import Proposal
from stilts.study.stage import TrainStage
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import resolved

SIZES = {"mnli": 1600, "squad": 400, "hellaswag": 100}


# --- shares ---


def test_shares_are_proportional_to_size_at_temperature_1() -> None:
    assert by_size({"a": 600, "b": 300, "c": 100}) == {"a": 0.6, "b": 0.3, "c": 0.1}


def test_temperature_2_is_the_square_root_and_the_cap_comes_first() -> None:
    assert by_size(SIZES, temperature=2.0) == {"mnli": 0.57, "squad": 0.29, "hellaswag": 0.14}  # 40 : 20 : 10
    assert by_size(SIZES, temperature=2.0, cap=400) == {"mnli": 0.4, "squad": 0.4, "hellaswag": 0.2}  # 20 : 20 : 10
    assert by_size(SIZES, temperature="uniform") == {"mnli": 0.33, "squad": 0.33, "hellaswag": 0.34}


def test_extreme_temperatures_are_the_largest_task_and_equal_shares() -> None:
    assert by_size(SIZES, temperature=0.01) == {"mnli": 1.0}
    assert set(by_size(SIZES, temperature=100.0).values()) == {0.33, 0.34}


def test_tasks_without_any_example_cannot_be_sampled() -> None:
    assert by_size({"a": 0, "b": 7}) == {"b": 1.0}
    with pytest.raises(InputError, match="training examples"):
        by_size({"a": 0, "b": 0})


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 10**7), min_size=1),
    temperature=st.floats(0.05, 100.0),
    cap=st.none() | st.integers(1, 10**7),
    share=st.integers(0, 100).map(lambda percent: percent / 100),
)
def test_shares_are_hundredths_that_sum_to_1(
    sizes: dict[str, int], temperature: float, cap: int | None, share: float
) -> None:
    mixture = beside(by_size(sizes, temperature=temperature, cap=cap), "plain", share)
    assert sum(round(weight * 100) for weight in mixture.values()) == 100
    assert all(abs(weight * 100 - round(weight * 100)) < 1e-9 and weight > 0 for weight in mixture.values())
    assert mixture.get("plain", 0.0) == share


def test_a_share_of_0_leaves_a_written_mixture_as_it_is() -> None:
    assert beside({"a": 0.333, "b": 0.667}, "plain", 0.0) == {"a": 0.333, "b": 0.667}
    assert beside({"a": 0.333, "b": 0.667}, "plain", 0.1) == {"a": 0.3, "b": 0.6, "plain": 0.1}


# --- rows and their proposals ---


def recipe(subject: ResolvedStudy, row: str, **params: Any) -> TrainStage:
    plan = make_plan(subject, {row: [Proposal(number=0, params=params)]})
    mine = next(replicate for replicate in plan.replicates if replicate.row == row)
    assert mine.intermediate_stage is not None
    stage = plan.stages[mine.intermediate_stage]
    assert isinstance(stage, TrainStage)
    return stage


def shares(stage: TrainStage) -> dict[str, float]:
    return {part.task.name: part.weight for part in stage.mixture}


def searched(folder: Path, row: dict[str, Any] | None = None, **search: Any) -> ResolvedStudy:
    rows = {"mnli": {**(row or {}), "search": {"proposals": 3, **search}}}
    return resolved(folder, intermediates=rows, targets={"udpos": {"languages": ["en"]}})


MASKED = {"task": "plain", "weight": {"low": 0.0, "high": 0.3}, "languages": [["en"], ["en", "qaa"]]}


def test_the_weight_and_languages_of_masked_lm_make_other_stages(folder: Path) -> None:
    subject = searched(folder, masked_lm=MASKED)
    drawn: list[dict[str, Any]] = [
        {"masked_lm_weight": 0.0},
        {"masked_lm_weight": 0.1, "masked_lm_languages": ["en"]},
        {"masked_lm_weight": 0.2, "masked_lm_languages": ["en"]},
        {"masked_lm_weight": 0.2, "masked_lm_languages": ["en", "qaa"]},
    ]
    plan = make_plan(subject, {"mnli": [Proposal(number=number, params=params) for number, params in enumerate(drawn)]})
    stages = [plan.stages[str(r.intermediate_stage)] for r in plan.replicates if r.row == "mnli"]
    assert len({stage.stage_id for stage in stages}) == 4
    trained = [stage for stage in stages if isinstance(stage, TrainStage)]
    assert [shares(stage) for stage in trained] == [
        {"mnli": 1.0},
        {"mnli": 0.9, "plain": 0.1},
        {"mnli": 0.8, "plain": 0.2},
        {"mnli": 0.8, "plain": 0.2},
    ]
    assert [view.language for view in trained[3].mixture[1].train] == ["en", "qaa"]
    plain = make_plan(resolved(folder, intermediates={"mnli": None}, targets={"udpos": {"languages": ["en"]}}))
    assert trained[0].stage_id in plan.stages and trained[0].stage_id in plain.stages, "share 0 is the row without it"


def test_masked_lm_beside_a_mixture_and_beside_a_fixed_row(folder: Path) -> None:
    mixed = searched(folder, {"mixture": {"squad": 0.5, "hellaswag": 0.5}}, masked_lm={**MASKED, "languages": ["en"]})
    stage = recipe(mixed, "mnli", masked_lm_weight=0.3)
    assert shares(stage) == {"squad": 0.35, "hellaswag": 0.35, "plain": 0.3}
    rows = {"mnli": {"masked_lm": {"task": "plain", "weight": 0.25, "languages": ["qaa"]}}}
    fixed = recipe(resolved(folder, intermediates=rows, targets={"udpos": None}), "mnli")
    assert shares(fixed) == {"mnli": 0.75, "plain": 0.25}
    assert [view.language for view in fixed.mixture[1].train] == ["qaa"]


def test_shares_by_size_use_the_counted_examples_and_count_each_task_once(folder: Path) -> None:
    sampling = {"tasks": list(SIZES), "temperature": {"low": 1.0, "high": 5.0}, "cap": {"choices": [400, 2000]}}
    subject = searched(folder, sampling=sampling)
    counted: list[str] = []

    def count(views: Any) -> int:
        counted.append(views[0].dataset)
        return {"multinli": 1600, "squad": 400, "hellaswag": 100}[views[0].dataset]

    subject = replace(subject, count_examples=count)
    assert shares(recipe(subject, "mnli", temperature=2.0, cap=400)) == by_size(SIZES, temperature=2.0, cap=400)
    assert len(counted) == len(set(counted)) == 3
    # A cap that a condition kept from being drawn is none.
    assert mixture(subject, "mnli", Proposal(number=7, params={"temperature": 2.0})) == tuple(
        by_size(SIZES, temperature=2.0).items()
    )
    assert len(counted) == 3


def test_a_fixed_row_by_size_is_planned_and_recorded_with_its_shares(folder: Path) -> None:
    rows = {"sized": {"sampling": {"tasks": ["mnli", "squad"], "temperature": "uniform"}}}
    plan = make_plan(resolved(folder, intermediates=rows, targets={"udpos": None}))
    (row,) = (row for row in plan.record.rows if row.name == "sized")
    assert row.mixture == {"mnli": 0.5, "squad": 0.5} and not row.searched


@pytest.mark.parametrize(
    ("temperature", "wanted"), [(None, {"squad": 0.5, "hellaswag": 0.5}), (1.0, {"squad": 0.8, "hellaswag": 0.2})]
)
def test_a_subset_has_equal_shares_or_shares_by_size(
    temperature: float | None, wanted: dict[str, float], folder: Path
) -> None:
    subset = {"tasks": list(SIZES), "count": 2, **({} if temperature is None else {"temperature": temperature})}
    subject = searched(folder, subset=subset)
    subject = replace(subject, count_examples=lambda views: 400 if views[0].dataset == "squad" else 100)
    assert shares(recipe(subject, "mnli", subset=["squad", "hellaswag"])) == wanted


def test_batch_and_epochs_are_the_recipe_s_and_the_target_s_own_are_the_target_s(folder: Path) -> None:
    numbers = {"low": 0.5, "high": 4.0}
    subject = searched(
        folder,
        epochs=numbers,
        batch_size={"choices": [4, 8]},
        target_epochs=numbers,
        target_batch_size={"choices": [4, 8]},
        target_warmup_frac={"choices": [0.0, 0.5]},
    )
    subject = replace(subject, count_examples=lambda views: 80)
    drawn = {"epochs": 2.0, "batch_size": 8, "target_epochs": 0.5, "target_batch_size": 4, "target_warmup_frac": 0.5}
    plan = make_plan(subject, {"mnli": [Proposal(number=0, params=drawn)]})
    (mine,) = (replicate for replicate in plan.replicates if replicate.row == "mnli")
    trained = {
        name: plan.stages[str(stage_id)]
        for name, stage_id in (("recipe", mine.intermediate_stage), ("target", mine.target_stage))
    }
    made = {
        name: (stage.config.steps, stage.mixture[0].config.batch_size, stage.config.warmup_frac)
        for name, stage in trained.items()
        if isinstance(stage, TrainStage)
    }
    assert made == {"recipe": (20, 8, 0.1), "target": (10, 4, 0.5)}


def test_what_a_proposal_does_not_carry_stays_as_the_row_has_it(folder: Path) -> None:
    numbers = {"warmup_frac": {"low": 0.2, "high": 0.4}, "steps": {"low": 5, "high": 50}}
    subject = searched(
        folder, {"train": {"warmup_frac": 0.05}}, **numbers, when={"warmup_frac": {"steps": {"low": 20, "high": 50}}}
    )
    assert recipe(subject, "mnli", steps=10).config.warmup_frac == 0.05
    assert recipe(searched(folder, **numbers), "mnli", steps=30, warmup_frac=0.3).config.warmup_frac == 0.3


@pytest.mark.parametrize(
    ("search", "tasks"),
    [
        ({"weights": ["mnli", "squad"]}, ["mnli", "squad"]),
        ({"subset": {"tasks": ["mnli", "squad"], "count": 1}}, ["mnli", "squad"]),
        ({"sampling": {"tasks": ["mnli", "squad"], "temperature": {"low": 1.0, "high": 5.0}}}, ["mnli", "squad"]),
        ({"masked_lm": MASKED}, ["mnli", "plain"]),
        ({"weights": ["mnli", "squad"], "masked_lm": MASKED}, ["mnli", "squad", "plain"]),
    ],
)
def test_a_searched_mixture_is_recorded_with_every_task_at_0(
    search: dict[str, Any], tasks: list[str], folder: Path
) -> None:
    rows = {"mnli": {"search": {"proposals": 2, **search}}}
    subject = resolved(folder, intermediates=rows, targets={"xnli": None, "masked_lm": None})
    record = make_plan(subject).record
    (row,) = (row for row in record.rows if row.name == "mnli")
    assert row.searched and row.mixture == dict.fromkeys(tasks, 0.0)
    overlapping = {column for _, column, _ in record.overlaps}
    assert overlapping == {"xnli"} | ({"masked_lm"} if "plain" in tasks else set())
    assert [part.task.name for part in subject.parts("mnli")] == tasks


def test_the_record_says_the_shares_that_a_proposal_came_to(folder: Path) -> None:
    subset = {"tasks": ["mnli", "squad"], "count": {"low": 1, "high": 2}}
    rows = {"mix": {"search": {"proposals": 2, "subset": subset, "masked_lm": {**MASKED, "languages": ["en"]}}}}
    drawn = [
        Proposal(number=0, params={"subset": ["squad"], "masked_lm_weight": 0.1}),
        Proposal(number=1, params={"subset": ["mnli", "squad"], "masked_lm_weight": 0.0}),
    ]
    subject = resolved(folder, intermediates={**rows, "mnli": None}, targets={"udpos": {"languages": ["en"]}})
    record = record_from_json(record_to_json(make_plan(subject, {"mix": drawn}).record))
    assert [record.drawn_mixture(replicate) for replicate in record.replicates] == [
        {},
        {"squad": 0.9, "plain": 0.1},
        {"mnli": 0.5, "squad": 0.5},
        {},
    ], "none, two proposals, and a row that is not searched"


# --- baselines ---

FOUR = ["mix-proportional", "mix-uniform", "mix-temperature2", "mix-single"]


def test_baselines_of_a_mixture_alone_are_fixed_rows_but_for_the_single_task(folder: Path) -> None:
    search = {"weights": ["mnli", "squad"], "baselines": True, "proposals": 5, "sampler": "random"}
    rows = {"mix": {"train": {"steps": 7}, "search": search}, "hellaswag": None}
    subject = resolved(folder, intermediates=rows, targets={"udpos": {"languages": ["en"]}})
    subject = replace(subject, count_examples=lambda views: 900 if views[0].dataset == "multinli" else 100)
    study = subject.study
    assert list(study.rows) == ["none", "mix", *FOUR, "hellaswag"]
    assert [name for name, row in study.rows.items() if row.search is None] == ["none", *FOUR[:3], "hellaswag"]
    assert [row.name for row in make_plan(subject).record.rows] == list(study.rows)
    mixtures = {name: dict(mixture(subject, name, None)) for name in FOUR[:3]}
    assert mixtures == {
        "mix-proportional": {"mnli": 0.9, "squad": 0.1},
        "mix-uniform": {"mnli": 0.5, "squad": 0.5},
        "mix-temperature2": {"mnli": 0.75, "squad": 0.25},
    }
    single = study.rows["mix-single"].search
    assert single is not None and (single.proposals, single.sampler, single.baselines) == (5, "random", None)
    assert shares(recipe(subject, "mix-single", subset=["squad"])) == {"squad": 1.0}
    assert recipe(subject, "mix-single", subset=["squad"]).config.steps == 7


def test_baselines_search_the_same_other_ranges(folder: Path) -> None:
    search = {
        "sampling": {"tasks": ["mnli", "squad"], "temperature": {"low": 1.0, "high": 5.0}},
        "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
        "warmup_frac": {"low": 0.1, "high": 0.2},
        "masked_lm": MASKED,
        "when": {
            "learning_rate": {"temperature": {"low": 2.0, "high": 3.0}},
            "warmup_frac": {"learning_rate": {"low": 1e-4, "high": 1e-3}, "temperature": {"low": 1.0, "high": 2.0}},
        },
        "baselines": ["uniform", "single"],
        "proposals": 5,
    }
    study = resolved(folder, intermediates={"mix": {"search": search}}).study
    assert list(study.rows) == ["none", "mix", "mix-uniform", "mix-single"]
    others = {"learning_rate", "warmup_frac", "masked_lm_weight", "masked_lm_languages"}
    for name, more in (("mix-uniform", set()), ("mix-single", {"subset"})):
        made = study.rows[name].search
        assert made is not None and set(made.searched()) == others | more and made.proposals == 5
        assert {field: set(conditions) for field, conditions in made.when.items()} == {"warmup_frac": {"learning_rate"}}


def test_a_fixed_share_of_masked_lm_stays_in_the_fixed_baselines(folder: Path) -> None:
    masked = {"task": "plain", "weight": 0.2, "languages": ["en"]}
    search = {"weights": ["mnli", "squad"], "masked_lm": masked, "baselines": ["uniform"], "proposals": 5}
    subject = resolved(folder, intermediates={"mix": {"search": search}})
    assert dict(mixture(subject, "mix-uniform", None)) == {"mnli": 0.4, "squad": 0.4, "plain": 0.2}
    assert [view.language for view in recipe(subject, "mix-uniform").mixture[2].train] == ["en"]


def test_replicates_of_fixed_baselines_can_be_asked_for_by_name(folder: Path) -> None:
    search = {"weights": ["mnli", "squad"], "baselines": ["uniform"], "proposals": 2}
    cells = {"default": {"count": 1}, "cells": [{"rows": ["mix-uniform"], "count": 3}]}
    targets = {"udpos": {"languages": ["en"]}}
    plan = make_plan(resolved(folder, intermediates={"mix": {"search": search}}, targets=targets, replicates=cells))
    assert sum(replicate.row == "mix-uniform" for replicate in plan.replicates) == 3
