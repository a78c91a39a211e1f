"""Merges in study files: their stages, what is shared, what a search proposes, and what cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.errors import InputError
from stilts.search.foreseen import foreseen_plan
from stilts.study.holding import Holding
from stilts.study.memory import peak_memory, placed
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.rates import assumed_seconds
from stilts.study.record import lineage
from stilts.study.search_space import Proposal
from stilts.study.slots import Resources
from stilts.study.stage import MergeStage
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import parsed, resolved

ROWS: dict[str, Any] = {"none": None, "mnli": None, "hellaswag": None}
MERGED = {**ROWS, "sum": {"merge": {"mnli": 0.5, "hellaswag": 0.5}}}
SEARCH = {"merge": ["mnli", "hellaswag"], "merge_scale": {"low": 0.5, "high": 2.0}, "proposals": 3}
SEARCHED = {**ROWS, "found": {"search": SEARCH}}


def plan_of(folder: Path, rows: dict[str, Any] = MERGED, **changes: Any) -> Plan:
    return make_plan(resolved(folder, intermediates=rows, **changes))


def merges(plan: Plan) -> list[MergeStage]:
    return [stage for stage in plan.stages.values() if isinstance(stage, MergeStage)]


def test_a_merge_is_one_stage_that_trains_nothing_more(folder: Path) -> None:
    without, plan = plan_of(folder, ROWS), plan_of(folder)
    (merge,) = merges(plan)

    assert set(without.stages) < set(plan.stages)
    assert merge.name == "merge-hellaswag+mnli" and merge.stage_id.startswith("train-merge-hellaswag+mnli-")
    more = [plan.stages[one] for one in plan.stages if one not in without.stages]
    assert len(more) == 1 + 3, "the merge, a target's training, two evaluations"
    assert set(merge.parents) == {one.intermediate_stage for one in plan.replicates if one.row in ("mnli", "hellaswag")}
    order = list(plan.stages)
    assert all(order.index(parent) < order.index(merge.stage_id) for parent in merge.parents)


def test_weights_and_recipes_are_identity_and_order_is_not(folder: Path) -> None:
    def merged(weights: dict[str, float], **mnli: Any) -> str:
        rows = {"none": None, "mnli": mnli or None, "hellaswag": None, "sum": {"merge": weights}}
        return merges(plan_of(folder, rows))[0].stage_id

    own = merged({"mnli": 0.5, "hellaswag": 0.5})
    assert own == merged({"hellaswag": 0.5, "mnli": 0.5})
    assert len({own, merged({"mnli": 0.4, "hellaswag": 0.5}), merged({"mnli": 0.5})}) == 3
    assert own != merged({"mnli": 0.5, "hellaswag": 0.5}, train={"steps": 21})


def test_what_a_merge_reads_comes_before_it_and_is_needed_with_it(folder: Path) -> None:
    plan = plan_of(folder)
    (merge,) = merges(plan)
    of_merge = {stage for one in plan.replicates if one.row == "sum" for stage in plan.of(one)}
    others = {key for stage in plan.stages for key in plan.stages[stage].outputs if stage not in of_merge}

    needed = plan.needed(others)
    assert set(merge.parents) < set(needed), "though the rows' own cells are done"
    assert set(plan.ready(needed, frozenset())) == set(merge.parents)
    done = others | set(merge.parents)
    assert plan.ready(plan.needed(done), frozenset()) == [merge.stage_id]
    assert set(plan.needed(done, gone=set(merge.parents))) >= set(merge.parents)
    assert set(plan.reads[merge.stage_id]) == set(merge.parents)
    assert set(plan.only([one for one in plan.replicates if one.row == "sum"]).stages) == of_merge >= set(merge.parents)


def test_seeds_of_a_merge_are_those_of_its_recipes(folder: Path) -> None:
    plan = plan_of(folder, replicates={"default": {"count": 2}})
    seeds = {one.intermediate_stage: one.intermediate_seed for one in plan.replicates}

    for merge in merges(plan):
        assert len({seeds[parent] for parent in merge.parents}) == 1
        assert seeds[merge.parents[0]] == seeds[merge.stage_id]


def test_a_proposal_costs_its_targets_only(folder: Path) -> None:
    study = resolved(folder, intermediates=SEARCHED)
    before = make_plan(study)
    proposal = Proposal(number=0, params={"merge": {"mnli": 0.25, "hellaswag": 0.75}, "merge_scale": 2.0})
    plan = make_plan(study, {"found": [proposal]})
    (merge,) = merges(plan)

    assert [(part.name, part.weight) for part in merge.merged] == [("hellaswag", 1.5), ("mnli", 0.5)]
    assert {plan.stages[one].name for one in plan.stages if one not in before.stages} == {
        "merge-hellaswag+mnli",
        "udpos",
        "tatoeba",
    }
    assert plan.stages.keys() >= set(merge.parents) and before.stages.keys() >= set(merge.parents)


def test_a_row_of_weight_zero_is_not_read(folder: Path) -> None:
    study = resolved(folder, intermediates=SEARCHED)
    one = Proposal(number=0, params={"merge": {"mnli": 0.0, "hellaswag": 1.0}})
    (merge,) = merges(make_plan(study, {"found": [one]}))

    assert [part.name for part in merge.merged] == ["hellaswag"]


def test_a_plan_foretells_what_a_search_adds(folder: Path) -> None:
    study = resolved(folder, intermediates=SEARCHED)
    plan = foreseen_plan(study, {}, {"found": 3})

    found = merges(plan)
    fresh = [one for one in found if any(plan.stages[parent].payload["seed"] == 1000 for parent in one.parents)]
    assert len(found) >= 4 and fresh, "proposals, and what confirms with recipes of fresh seeds"


def test_what_a_merge_takes_and_holds(folder: Path) -> None:
    study = parsed(folder, intermediates=MERGED, resources={"cpus": 2, "gpus": 1})
    plan = plan_of(folder, resources={"cpus": 2, "gpus": 1})
    (merge,) = merges(plan)
    holding = Holding(file=study.file)
    held = holding(merge)

    assert held == Resources(cpus=2, gpus=0) and held in holding.classes
    assert 3.0 < assumed_seconds(merge, held) < 4.0
    memory = peak_memory(merge, placed(held, study.file.resources))
    assert memory is not None and memory.gradients == memory.moments == 0


def test_the_record_knows_the_parents(folder: Path) -> None:
    record = record_from_json(record_to_json(plan_of(folder).record))
    (merge,) = merges(plan_of(folder))
    row = next(row for row in record.rows if row.name == "sum")

    assert row.merges == ("mnli", "hellaswag") and dict(row.mixture) == {"mnli": 0.5, "hellaswag": 0.5}
    assert record.stages[merge.stage_id]["merged"] == {part.stage_id: part.weight for part in merge.merged}
    assert set(lineage(merge.stage_id, record.stages)) == {merge.stage_id, *merge.parents}
    assert any("nothing is trained" in note for note in record.notes)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"merge": {"nobody": 1.0}}, "nobody"),
        ({"merge": {"none": 1.0}}, '"none"'),
        ({"merge": {"sum": 1.0}}, "is a merge itself"),
        ({"merge": {"mnli": 0.0}}, "weight 0"),
        ({"merge": {"mnli": 1.0}, "task": "mnli"}, "one of task"),
        ({"merge": {"mnli": 1.0}, "train": {"steps": 3}}, "trains nothing"),
        ({"search": {**SEARCH, "learning_rate": {"low": 1e-5, "high": 1e-4}}}, "trains nothing"),
        ({"search": {"merge_scale": {"low": 0.5, "high": 1.0}, "proposals": 2}}, "give that too"),
    ],
)
def test_what_cannot_be_meant_is_refused(row: dict[str, Any], told: str, folder: Path) -> None:
    with pytest.raises(InputError, match=told):
        parsed(folder, intermediates={**ROWS, "sum": row})


def test_a_searched_row_is_not_merged(folder: Path) -> None:
    searched = {"task": "mnli", "search": {"learning_rate": {"low": 1e-5, "high": 1e-4}, "proposals": 2}}
    with pytest.raises(InputError, match="is searched"):
        parsed(folder, intermediates={**ROWS, "s": searched, "sum": {"merge": {"s": 1.0}}})
