"""What a plan costs: what was pruned is not to be run, and what is still to come counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.study.cost import Cost, StillToCome, estimate, like_stages
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.search_space import Proposal
from stilts.study.slots import Resources
from stilts.study.stage import Stage
from tests.study.toy_study import resolved, write_encoder_folder

RATE = {"low": 1e-6, "high": 1e-2, "log": True}
ROWS = {"none": None, "mnli": {"search": {"learning_rate": RATE, "proposals": 4}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def plan(folder: Path, rates: tuple[float, ...], **changes: Any) -> Plan:
    drawn = [Proposal(number=number, params={"learning_rate": rate}) for number, rate in enumerate(rates)]
    return make_plan(resolved(folder, intermediates=ROWS, **changes), {"mnli": drawn})


def cost(subject: Plan, done: set[str], **changes: Any) -> Cost:
    fields: dict[str, Any] = {
        "measured": lambda stage: 10.0,
        "assumed": lambda stage: 1.0,
        "held": lambda stage: Resources(),
        "concurrent": lambda held: 1,
        "artifact_bytes": lambda stage: 0,
    }
    fields |= {"gpu_hour_price": None, **changes}
    return estimate(subject, done, set(), **fields)


def outputs(subject: Plan, without: set[str]) -> set[str]:
    return {key for i, stage in subject.stages.items() if i not in without for key in stage.outputs}


def test_a_pruned_stage_and_its_scores_are_given_up_and_not_to_be_run(folder: Path) -> None:
    subject = plan(folder, (1e-5, 1e-4))
    tuned = next(str(one.target_stage) for one in subject.replicates if one.proposal == 1 and one.target_stage)
    gone = {tuned, *subject.children[tuned]}
    finished = cost(subject, outputs(subject, without=gone), pruned={tuned})
    assert (finished.to_run, finished.given_up, finished.done) == (0, 2, len(subject.stages) - 2)
    assert finished.seconds == 0.0
    assert cost(subject, outputs(subject, without=gone)).to_run == 2


def test_no_number_of_machines_makes_it_less_than_the_longest_chain(folder: Path) -> None:
    subject = plan(folder, (1e-5, 1e-4))
    chain = 3 * 10.0  # intermediate, target, evaluation
    assert cost(subject, set(), concurrent=lambda held: 1000).hours == pytest.approx(chain / 3600)
    assert cost(subject, set(), concurrent=lambda held: 1).hours == pytest.approx(10.0 * len(subject.stages) / 3600)


def later(subject: Plan, **changes: Any) -> list[tuple[Stage, float]]:
    fields: dict[str, Any] = {"row": "mnli", "proposals": 0, "seeds": 1, "confirming": {}, **changes}
    return like_stages(StillToCome(**fields), subject)


def number(found: list[tuple[Stage, float]]) -> float:
    return sum(count for _, count in found)


def test_what_is_coming_is_counted_and_paid(folder: Path) -> None:
    subject = plan(folder, (1e-5, 1e-4))
    drawn = cost(subject, set())
    assert drawn.seconds == 10.0 * len(subject.stages) and drawn.later == 0
    coming = list(subject.stages.values())[:3]
    more = cost(
        subject, set(), coming=coming, open_proposals=2, held=lambda stage: Resources(gpus=1.0), gpu_hour_price=3600.0
    )
    assert more.seconds == drawn.seconds + 30.0 and (more.later, more.open_proposals) == (3, 2)
    assert more.price == more.seconds and more.measured_frac == 1.0
    assert cost(subject, set(), coming=coming, measured=lambda stage: None).measured_frac == 0.0


def test_a_further_recipe_is_like_those_drawn_under_each_of_its_seeds(folder: Path) -> None:
    per_recipe = 1 + 2 + 1  # the recipe, udpos trained and scored, tatoeba scored
    for rates in ((1e-5,), (1e-5, 1e-4)):
        assert number(later(plan(folder, rates), proposals=2)) == pytest.approx(2 * per_recipe)
    assert number(later(plan(folder, (1e-5,)), proposals=2, seeds=3)) == 3 * 2 * per_recipe
    assert later(plan(folder, ()), proposals=2) == []


@pytest.mark.parametrize(
    ("recipes", "per_column", "stages"),
    [(1, False, 2 + 2 * 2 + 1), (2, False, 2 * (2 + 2 * 2 + 1)), (1, True, 3 + 2 * 2 + 1)],
)
def test_what_confirms_the_chosen_recipes_is_like_them(
    folder: Path, recipes: int, per_column: bool, stages: int
) -> None:
    subject = plan(folder, (1e-5,))
    found = later(subject, confirming={"udpos": 2, "tatoeba": 1}, recipes=recipes, per_column=per_column)
    assert number(found) == stages
