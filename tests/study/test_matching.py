"""Size matching: how many examples stay of each row, what draws them, and what of it is identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.data.load import load_examples
from stilts.errors import StudyError
from stilts.study.chains import recipe_stage
from stilts.study.matching import even_limits
from stilts.study.planning import make_plan
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.stage import TrainStage
from tests.study.toy_study import resolved

ROWS: dict[str, Any] = {"none": None, "mnli": None, "hellaswag": None, "udpos": {"train": {"limit": 700}}}


def study(folder: Path, rows: dict[str, Any] | None = None, **defaults: Any) -> ResolvedStudy:
    given = {"intermediate": {"steps": 20}, "target": {"steps": 10}, "encoding": {"max_length": 96}, **defaults}
    return resolved(folder, defaults=given, intermediates=rows or ROWS)


def recipe(made: ResolvedStudy, row: str, seed: int = 0) -> TrainStage:
    stage = recipe_stage(made, row, None, seed)
    assert stage is not None
    return stage


def sizes(made: ResolvedStudy, row: str) -> list[int]:
    return [len(load_examples(view, {})) for part in recipe(made, row).mixture for view in part.train]


def all_sizes(folder: Path) -> dict[str, int]:
    made = study(folder)
    return {row: sum(sizes(made, row)) for row in ROWS if row != "none"}


@given(st.lists(st.integers(0, 500), min_size=1, max_size=6), st.integers(0, 1500))
def test_limits_are_even_and_give_the_whole_number(each: list[int], total: int) -> None:
    found = even_limits(each, total)

    assert sum(found) == min(total, sum(each))
    assert all(limit <= size for limit, size in zip(found, each, strict=True))
    cut = [limit for limit, size in zip(found, each, strict=True) if limit < size]
    assert not cut or max(found) - min(cut) <= 1


def test_all_rows_have_as_many_as_the_smallest(folder: Path) -> None:
    whole = all_sizes(folder)
    assert set(whole.values()) == {6000, 700}

    made = study(folder, match_size="smallest")

    assert {row: sum(sizes(made, row)) for row in whole} == dict.fromkeys(whole, 700)


@pytest.mark.parametrize(("word", "number"), [(50, 50), ("squad", 300)])
def test_a_number_or_a_task_says_how_many(word: int | str, number: int, folder: Path) -> None:
    rows = {**ROWS, "mnli": {"train": {"limit": 500}}}

    assert sizes(study(folder, rows, match_size=word, intermediate={"steps": 20, "limit": 300}), "mnli") == [number]


def test_a_row_may_keep_all_and_then_its_id(folder: Path) -> None:
    rows = {**ROWS, "mnli": {"match_size": "none"}}
    kept = study(folder, rows, match_size=30)

    assert recipe(kept, "mnli").stage_id == recipe(study(folder), "mnli").stage_id
    assert sizes(kept, "hellaswag") == [30]


def test_what_is_small_enough_keeps_its_id(folder: Path) -> None:
    assert recipe(study(folder, match_size=10**6), "mnli").stage_id == recipe(study(folder), "mnli").stage_id


def test_tasks_of_a_mixture_share_the_number_evenly(folder: Path) -> None:
    rows = {**ROWS, "both": {"mixture": {"mnli": 0.9, "udpos": 0.1}}}

    assert sizes(study(folder, rows, match_size=101), "both") == [51, 50]


def test_masked_lm_beside_keeps_its_size(folder: Path) -> None:
    rows = {**ROWS, "with": {"task": "mnli", "masked_lm": {"task": "plain", "weight": 0.1, "languages": ["en"]}}}
    own, beside = sizes(study(folder, rows, match_size=40), "with")

    assert own == 40 < beside


def test_each_seed_draws_others_of_the_same_number(folder: Path) -> None:
    made = study(folder, match_size=100)
    views = [recipe(made, "mnli", seed).mixture[0].train[0] for seed in (0, 1)]
    items = [{example.item for example in load_examples(view, {})} for view in views]

    assert views[0].digest != views[1].digest
    assert len(items[0]) == len(items[1]) == 100 and items[0] != items[1]
    assert items[0] & items[1], "both are draws of the same examples"


def test_the_record_says_what_was_cut_and_an_unknown_task_is_named(folder: Path) -> None:
    record = make_plan(study(folder, match_size=30)).record
    assert any("cut to 30" in note for note in record.notes)

    with pytest.raises(StudyError, match=r"intermediates\.mnli.*nosuch"):
        make_plan(study(folder, match_size="nosuch"))
