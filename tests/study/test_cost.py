"""What a plan costs: what was pruned is not to be run, and proposals that are still to be drawn count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.study.cost import Cost, estimate
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
    fields |= {"gpu_hour_price": None, "open_proposals": {}, **changes}
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


def test_proposals_still_to_be_drawn_cost_what_those_drawn_do(folder: Path) -> None:
    subject = plan(folder, (1e-5, 1e-4))
    per_recipe = 1 + 2 + 1  # the recipe, udpos trained and scored, tatoeba scored
    drawn = cost(subject, set())
    assert drawn.seconds == 10.0 * len(subject.stages)
    waiting = cost(subject, set(), open_proposals={"mnli": 2}, gpus=1.0, gpu_hour_price=3600.0)
    assert waiting.seconds == drawn.seconds + 2 * 10.0 * per_recipe
    assert waiting.price == waiting.seconds and waiting.measured_frac == 1.0


def test_where_none_is_drawn_a_proposal_costs_the_mean_of_the_fixed_rows_recipes(folder: Path) -> None:
    rows = {**ROWS, "hellaswag": None}
    subject = planner(folder, intermediates=rows, replicates={"default": {"count": 2}}).plan({})
    assert cost(subject, set(), open_proposals={"mnli": 3}).seconds == 10.0 * (len(subject.stages) + 3 * 4)
    assert cost(plan(folder, ()), set(), open_proposals={"mnli": 3}).open_proposals == 3, "nothing to go by"


def test_every_proposal_still_to_be_drawn_has_the_seeds_that_it_starts_with(folder: Path) -> None:
    subject = plan(folder, (1e-5,))
    once = cost(subject, set(), open_proposals={"mnli": 2}).seconds - cost(subject, set()).seconds
    thrice = cost(subject, set(), open_proposals={"mnli": 2}, open_seeds={"mnli": 3})
    assert thrice.seconds == cost(subject, set()).seconds + 3 * once and thrice.open_proposals == 2
