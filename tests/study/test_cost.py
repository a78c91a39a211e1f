"""What a plan costs: what was pruned is not to be run, and proposals that are still to be drawn count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.study.cost import Cost, StillToCome, estimate
from stilts.study.plan import Plan
from stilts.study.search_space import Proposal
from tests.study.toy_study import planner, write_encoder_folder

RATE = {"low": 1e-6, "high": 1e-2, "log": True}
ROWS = {"none": None, "mnli": {"search": {"learning_rate": RATE, "proposals": 4}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def plan(folder: Path, rates: tuple[float, ...], **changes: Any) -> Plan:
    drawn = [Proposal(number=number, params={"learning_rate": rate}) for number, rate in enumerate(rates)]
    return planner(folder, intermediates=ROWS, **changes).plan({"mnli": drawn})


def cost(subject: Plan, done: set[str], **changes: Any) -> Cost:
    fields: dict[str, Any] = {"measured": lambda stage: 10.0, "gpus": 0.0, "concurrent": 1, "artifact_bytes": 0}
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


def still(**changes: Any) -> list[StillToCome]:
    fields: dict[str, Any] = {"row": "mnli", "proposals": 0, "seeds": 1, "confirming": {}, **changes}
    return [StillToCome(**fields)]


def test_proposals_still_to_be_drawn_cost_what_those_drawn_do(folder: Path) -> None:
    subject = plan(folder, (1e-5, 1e-4))
    per_recipe = 1 + 2 + 1  # the recipe, udpos trained and scored, tatoeba scored
    drawn = cost(subject, set())
    assert drawn.seconds == 10.0 * len(subject.stages) and drawn.later == 0
    waiting = cost(subject, set(), still=still(proposals=2), gpus=1.0, gpu_hour_price=3600.0)
    assert waiting.seconds == drawn.seconds + 2 * 10.0 * per_recipe and waiting.later == 2 * per_recipe
    assert waiting.price == waiting.seconds and waiting.measured_frac == 1.0


def test_where_none_is_drawn_a_proposal_costs_what_a_made_up_one_would(folder: Path) -> None:
    subject, like = plan(folder, ()), plan(folder, (1e-5,))
    found = cost(subject, set(), still=still(proposals=3), like=like)
    assert found.seconds == 10.0 * (len(subject.stages) + 3 * 4) and (found.open_proposals, found.later) == (3, 12)


def test_every_proposal_still_to_be_drawn_has_the_seeds_that_it_starts_with(folder: Path) -> None:
    subject = plan(folder, (1e-5,))
    once = cost(subject, set(), still=still(proposals=2)).seconds - cost(subject, set()).seconds
    thrice = cost(subject, set(), still=still(proposals=2, seeds=3))
    assert thrice.seconds == cost(subject, set()).seconds + 3 * once and thrice.open_proposals == 2


@pytest.mark.parametrize(
    ("recipes", "per_column", "stages"),
    [(1, False, 2 + 2 * 2 + 1), (2, False, 2 * (2 + 2 * 2 + 1)), (1, True, 3 + 2 * 2 + 1)],
)
def test_what_confirms_the_chosen_recipes_is_counted(folder: Path, recipes: int, per_column: bool, stages: int) -> None:
    subject = plan(folder, (1e-5,))
    coming = still(confirming={"udpos": 2, "tatoeba": 1}, recipes=recipes, per_column=per_column)
    found = cost(subject, set(), still=coming)
    assert (found.later, found.open_confirmations) == (stages, 3 * recipes)
    assert found.seconds == cost(subject, set()).seconds + 10.0 * stages
