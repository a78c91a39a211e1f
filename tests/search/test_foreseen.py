"""What a search will add is counted as the run will count it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.search.foreseen import foreseen_plan, num_to_draw
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.search_space import Proposal
from tests.study.toy_study import resolved, write_encoder_folder

RATE = {"low": 1e-6, "high": 1e-2, "log": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def both(folder: Path, drawn: list[Proposal], **search: Any) -> tuple[Plan, Plan]:
    """What is foreseen, and the plan of what is drawn."""
    rows = {"none": None, "mnli": {"search": {"learning_rate": RATE, "proposals": 3, **search}}}
    study, recipes = resolved(folder, intermediates=rows), {"mnli": drawn}
    return foreseen_plan(study, recipes, num_to_draw(study, recipes)), make_plan(study, recipes)


def recipe(number: int, **changes: Any) -> Proposal:
    return Proposal(number=number, params={"learning_rate": (number + 1) * 1e-4}, **changes)


def test_what_is_foreseen_is_as_many_stages_as_what_comes(folder: Path) -> None:
    columns = ("udpos", "tatoeba")
    final = [recipe(0, stands_for=("per_target",), confirms=columns), recipe(1), recipe(2)]
    _, real = both(folder, final, objective="xtreme_average")
    for known in ([], [recipe(0)], [recipe(0), recipe(1), recipe(2)]):
        foreseen, plan = both(folder, known, objective="xtreme_average")
        assert len(foreseen.stages) == len(real.stages)
        assert set(plan.stages) <= set(foreseen.stages), "what is drawn stays"


def test_per_target_each_may_confirm_a_recipe_of_its_own(folder: Path) -> None:
    one, _ = both(folder, [], objective="xtreme_average")
    each, _ = both(folder, [], objective="per_target")
    # Another recipe is trained for tatoeba, where one did for both.
    assert len(each.stages) == len(one.stages) + 1


def test_once_all_is_drawn_and_chosen_nothing_comes(folder: Path) -> None:
    final = [recipe(0, stands_for=("per_target",), confirms=("udpos",)), recipe(1), recipe(2)]
    foreseen, plan = both(folder, final)
    assert foreseen.stages.keys() == plan.stages.keys()


def test_what_is_trained_alike_by_all_recipes_is_counted_once(folder: Path) -> None:
    search = {"target_learning_rate": RATE, "proposals": 3, "confirm": False}
    rows = {"none": None, "mnli": {"search": search}}
    study = resolved(folder, intermediates=rows)
    foreseen = foreseen_plan(study, {}, num_to_draw(study, {}))
    recipes = {one.intermediate_stage for one in foreseen.replicates if one.row == "mnli"}
    assert len(recipes) == 1


def test_the_same_recipes_are_made_up_every_time(folder: Path) -> None:
    assert both(folder, [])[0].stages.keys() == both(folder, [])[0].stages.keys()


def test_what_was_foreseen_is_not_what_is_trained(folder: Path) -> None:
    """A made-up recipe and a drawn one have the same number, row and seed, and are two stages."""
    rows = {"none": None, "mnli": {"search": {"learning_rate": RATE, "proposals": 3}}}
    study = resolved(folder, intermediates=rows)
    foreseen_plan(study, {}, num_to_draw(study, {}))
    afterwards = make_plan(study, {"mnli": [recipe(0)]})
    alone = make_plan(resolved(folder, intermediates=rows), {"mnli": [recipe(0)]})

    assert set(afterwards.stages) == set(alone.stages)
