"""Controls in study files: what is identity, what a seed draws, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.errors import StudyError
from stilts.study.chains import recipe_stage
from stilts.study.planning import make_plan
from stilts.study.stage import TrainStage
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import parsed, resolved


def recipe(folder: Path, seed: int = 0, **row: Any) -> TrainStage:
    study = resolved(folder, intermediates={"none": None, "one": {"task": "mnli", **row}})
    stage = recipe_stage(study, "one", None, seed)
    assert stage is not None
    return stage


def test_a_control_is_a_stage_of_its_own_with_the_same_steps(folder: Path) -> None:
    plain, shuffled, text = (recipe(folder, control=name) for name in (None, "shuffled_labels", "texts_only"))

    assert len({one.stage_id for one in (plain, shuffled, text)}) == 3
    assert plain.config == shuffled.config == text.config
    assert plain.stage_id == recipe(folder).stage_id
    assert (shuffled.name, text.name) == ("mnli", "mnli-text")
    assert [part.task.kind.name for one in (shuffled, text) for part in one.mixture] == ["classification", "masked_lm"]
    assert plain.mixture[0].select == shuffled.mixture[0].select, "what is chosen by keeps its labels"


def test_each_seed_shuffles_anew(folder: Path) -> None:
    views = [recipe(folder, seed, control="shuffled_labels").mixture[0].train[0].digest for seed in (0, 1)]

    assert views[0] != views[1]


def test_masked_lm_of_a_row_is_no_label_to_shuffle_but_a_text_to_learn(folder: Path) -> None:
    both = recipe(folder, masked_lm={"task": "plain", "weight": 0.2}, control="texts_only")

    assert both.name == "mnli-text+plain"
    with pytest.raises(StudyError, match=r"intermediates\.one.*no labels"):
        recipe(folder, masked_lm={"task": "plain", "weight": 0.2}, control="shuffled_labels")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"none": {"control": "texts_only"}}, "none: it names a task"),
        ({"mnli": {"control": "other"}}, r"intermediates\.mnli\.control"),
        ({"mnli": {"control": "texts_only", "search": {"steps": {"low": 1, "high": 9}, "proposals": 2}}}, "no search"),
    ],
)
def test_what_cannot_be_meant_is_refused(rows: dict[str, Any], told: str, folder: Path) -> None:
    with pytest.raises(StudyError, match=told):
        parsed(folder, intermediates=rows)


def test_a_record_says_which_rows_are_controls(folder: Path) -> None:
    rows = {"none": None, "mnli": None, "same": {"task": "mnli", "control": "shuffled_labels"}}
    record = make_plan(resolved(folder, intermediates=rows)).record
    again = record_from_json(record_to_json(record))

    assert [row.title for row in again.rows] == ["none", "mnli", "same (control)"]
    assert again.advisable == {"none", "mnli"}
    assert [note for note in again.notes if "same" in note] == [
        "Row same: a control that learns labels of other examples, drawn anew for each seed; never advised."
    ]
