"""Plans: what is shared, how many stages there are, and what of them is needed and ready."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.search_space import Proposal
from stilts.study.stage import StageKind, TrainStage
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import resolved


def plan_of(folder: Path, **changes: Any) -> Plan:
    return make_plan(resolved(folder, **changes))


def trained(plan: Plan) -> list[str]:
    return [stage_id for stage_id, stage in plan.stages.items() if stage.kind is StageKind.TRAIN]


def outputs(plan: Plan, stage_ids: Iterable[str]) -> set[str]:
    return {key for stage_id in stage_ids for key in plan.stages[stage_id].outputs}


# --- sharing ---


def test_an_intermediate_is_one_stage_for_all_targets(folder: Path) -> None:
    plan = plan_of(folder, targets={"udpos": None, "xnli": None, "tatoeba": None})
    recipes = {r.intermediate_stage for r in plan.replicates if r.row == "hellaswag"}
    assert len(recipes) == 1
    (recipe,) = recipes
    assert recipe is not None and plan.requested[recipe] == 3
    assert len(plan.children[recipe]) == 3, "two fine-tunings and the evaluation of the untrained target"


def test_targets_that_learn_the_same_share_their_fine_tuning(folder: Path) -> None:
    plan = plan_of(folder, targets={"xquad": None, "again": {"task": "xquad", "languages": ["qaa"]}})
    for row in ("none", "mnli", "hellaswag"):
        tuned = {r.column: r.target_stage for r in plan.replicates if r.row == row}
        assert tuned["xquad"] == tuned["again"]


def test_xquad_and_mlqa_share_the_fine_tuning_on_squad(folder: Path) -> None:
    plan = plan_of(folder, targets={"xquad": None, "mlqa": None}, intermediates={"none": None})
    assert len(trained(plan)) == 1


def test_a_target_may_be_learned_after_another_task(folder: Path) -> None:
    """XTREME-R's XCOPA: Social IQA, then COPA, on top of every row."""
    targets = {"xcopa_siqa": None, "xcopa": None}
    plan = plan_of(folder, targets=targets, intermediates={"none": None, "mnli": None})
    for row in ("none", "mnli"):
        (cell,) = (r for r in plan.replicates if (r.row, r.column) == (row, "xcopa_siqa"))
        tuned = plan.stages[cell.target_stage or ""]
        before = plan.stages[tuned.parent or ""]
        assert isinstance(before, TrainStage) and [part.task.name for part in before.mixture] == ["socialiqa"]
        assert before.parent == cell.intermediate_stage and tuned.name == "xcopa"
        assert plan.record.target_stages(cell) == (cell.target_stage, tuned.parent)
        (plain,) = (r for r in plan.replicates if (r.row, r.column) == (row, "xcopa"))
        assert plan.record.target_stages(plain) == (plain.target_stage,)
    assert plan.record.training_data["xcopa_siqa"] == ["socialiqa", "copa"]
    # Three fine-tunings on each of two rows (Social IQA, COPA after it, COPA alone), and the recipe of one.
    assert len(trained(plan)) == 7


def test_a_target_tuned_on_an_intermediate_of_its_own_data_is_two_stages(folder: Path) -> None:
    plan = plan_of(folder, targets={"xquad": None}, intermediates={"squad": None})
    (cell,) = (r for r in plan.replicates if r.row == "squad")
    assert cell.intermediate_stage != cell.target_stage
    assert [(row, column) for row, column, _ in plan.record.overlaps] == [("squad", "xquad")]


def test_rows_that_say_the_same_are_one_recipe(folder: Path) -> None:
    rows = {"mnli": None, "again": {"task": "mnli"}, "mixed": {"mixture": {"mnli": 1.0}}}
    plan = plan_of(folder, intermediates=rows)
    assert len({r.intermediate_stage for r in plan.replicates if r.row != "none"}) == 1
    assert len(plan.replicates) == 4 * 2, "and yet every row has its cells"


# --- counts ---


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 4), trained_targets=st.sets(st.sampled_from(["udpos", "xnli", "panx"]), min_size=1))
def test_as_many_train_stages_as_distinct_recipes_and_fine_tunings(
    folder: Path, count: int, trained_targets: set[str]
) -> None:
    targets = {name: None for name in [*sorted(trained_targets), "tatoeba"]}
    plan = plan_of(folder, targets=targets, replicates={"default": {"count": count}})
    recipes = {r.intermediate_stage for r in plan.replicates if r.intermediate_stage}
    tunings = {r.target_stage for r in plan.replicates if r.target_stage}
    assert len(recipes) == 2 * count and len(tunings) == 3 * count * len(trained_targets)
    assert set(trained(plan)) == recipes | tunings
    # An untrained target on the bare encoder has nothing to seed: one evaluation however many replicates.
    evaluations = len(tunings) + 2 * count + 1
    assert len(plan.stages) - len(trained(plan)) == evaluations
    assert len({r.replicate_id for r in plan.replicates}) == len(plan.replicates)


def test_the_baseline_has_no_intermediate_seed_and_an_untrained_target_no_target_seed(folder: Path) -> None:
    plan = plan_of(folder, replicates={"default": {"count": 2}})
    seeds: dict[tuple[bool, str], set[Any]] = {(r.row == "none", r.column): set() for r in plan.replicates}
    for r in plan.replicates:
        seeds[r.row == "none", r.column].add((r.intermediate_seed, r.target_seed))
    assert seeds[True, "udpos"] == {(None, 0), (None, 1)}
    assert seeds[True, "tatoeba"] == {(None, None)}
    assert seeds[False, "udpos"] == {(0, 0), (1, 1)}
    assert seeds[False, "tatoeba"] == {(0, None), (1, None)}
    assert all((r.target_stage is None) == (r.column == "tatoeba") for r in plan.replicates)


def test_crossed_seeds_are_every_pair(folder: Path) -> None:
    crossed = {"intermediate_seeds": 2, "target_seeds": 3}
    plan = plan_of(folder, replicates={"default": {"count": 1}, "cells": [{**crossed, "rows": ["mnli"]}]})
    pairs = {(r.intermediate_seed, r.target_seed) for r in plan.replicates if r.row == "mnli" and r.column == "udpos"}
    assert pairs == {(i, t) for i in range(2) for t in range(3)}
    assert sum(r.row == "hellaswag" for r in plan.replicates) == 2, "other rows keep the default"
    assert sum(r.row == "mnli" and r.column == "tatoeba" for r in plan.replicates) == 2, "two recipes, no target seed"


def test_a_searched_row_has_stages_once_something_is_proposed(folder: Path) -> None:
    search = {"learning_rate": {"low": 1e-6, "high": 1e-3, "log": True}, "proposals": 3}
    subject = resolved(folder, intermediates={"mnli": {"search": search}})
    assert {r.row for r in make_plan(subject).replicates} == {"none"}
    drawn = [Proposal(number=i, params={"learning_rate": 1e-5 * (i + 1)}) for i in range(2)]
    plan = make_plan(subject, {"mnli": drawn})
    recipes = [plan.stages[r.intermediate_stage] for r in plan.replicates if r.intermediate_stage is not None]
    rates = {stage.config.learning_rate for stage in recipes if isinstance(stage, TrainStage)}
    assert rates == {1e-5, 2e-5}
    assert {r.proposal for r in plan.replicates if r.row == "mnli"} == {0, 1}


def test_a_searched_rate_of_the_target_changes_the_fine_tuning_only(folder: Path) -> None:
    search = {"target_learning_rate": {"low": 1e-6, "high": 1e-3}, "proposals": 2}
    subject = resolved(folder, intermediates={"mnli": {"search": search}}, targets={"udpos": None})
    drawn = [Proposal(number=i, params={"target_learning_rate": 1e-5 * (i + 1)}) for i in range(2)]
    mine = [r for r in make_plan(subject, {"mnli": drawn}).replicates if r.row == "mnli"]
    assert len({r.intermediate_stage for r in mine}) == 1 and len({r.target_stage for r in mine}) == 2


# --- order, needed, ready ---


def test_parents_stand_before_children_and_the_record_names_every_stage(folder: Path) -> None:
    plan = plan_of(folder, replicates={"default": {"count": 2}})
    order = list(plan.stages)
    for stage_id, stage in plan.stages.items():
        assert stage.parent is None or order.index(stage.parent) < order.index(stage_id)
    assert set(plan.record.stages) == set(plan.stages)
    assert record_from_json(record_to_json(plan.record)) == plan.record


def test_planning_twice_gives_equal_plans(folder: Path) -> None:
    first, second = plan_of(folder), plan_of(folder)
    assert first.record == second.record and list(first.stages) == list(second.stages)


def test_everything_is_needed_at_first_and_only_roots_are_ready(folder: Path) -> None:
    plan = plan_of(folder)
    needed = plan.needed(set())
    assert needed == list(plan.stages)
    assert set(plan.ready(needed, set())) == {i for i, stage in plan.stages.items() if stage.parent is None}


def test_ready_are_those_whose_parent_is_no_longer_to_be_run(folder: Path) -> None:
    plan = plan_of(folder)
    recipe = next(r.intermediate_stage for r in plan.replicates if r.row == "mnli")
    assert recipe is not None
    needed = plan.needed({recipe})
    assert recipe not in needed
    assert set(plan.children[recipe]) <= set(plan.ready(needed, set()))
    assert not set(plan.children[recipe]) & set(plan.ready(needed, set(plan.children[recipe])))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_needed_is_closed_and_minimal(folder: Path, data: st.DataObject) -> None:
    plan = _PLANS.setdefault("one", plan_of(folder))
    finished = data.draw(st.sets(st.sampled_from(sorted(plan.stages))))
    done = outputs(plan, finished)
    gone = data.draw(st.sets(st.sampled_from(sorted(finished)))) if finished else set()
    needed = set(plan.needed(done, gone))
    for stage_id, stage in plan.stages.items():
        if stage.kind is StageKind.EVALUATE:
            assert (stage_id in needed) == (stage_id not in finished)
        wanted = any(child in needed for child in plan.children[stage_id])
        if stage.kind is StageKind.TRAIN:
            assert (stage_id in needed) == (wanted and (stage_id not in finished or stage_id in gone))
    # Whatever runs finds its parent's weights, there already or made before it.
    for stage_id in needed:
        parent = plan.stages[stage_id].parent
        assert parent is None or parent in needed or (parent in finished and parent not in gone)


_PLANS: dict[str, Plan] = {}


def test_gone_weights_are_made_again_only_if_something_starts_from_them(folder: Path) -> None:
    plan = plan_of(folder)
    everything = outputs(plan, plan.stages)
    assert plan.needed(everything, set(trained(plan))) == []
    mine = next(r for r in plan.replicates if r.row == "mnli" and r.column == "udpos")
    report = next(iter(mine.outputs["report"].values()))
    chain = [mine.intermediate_stage, mine.target_stage, mine.evaluate_stage]
    assert plan.needed(everything - {report}, set(trained(plan))) == chain
    assert plan.needed(everything - {report}) == [mine.evaluate_stage], "a new language with the weights still there"


def test_descendants_count_all_that_waits(folder: Path) -> None:
    plan = plan_of(folder)
    for stage_id in plan.stages:
        below, waiting = set(), list(plan.children[stage_id])
        while waiting:
            below.add(child := waiting.pop())
            waiting.extend(plan.children[child])
        assert plan.descendants[stage_id] == len(below)
