"""The overlaps of a study's record: what of a matrix must be marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stilts.study.planning import make_plan
from tests.ledger.reading import record_from_json, record_to_json
from tests.study.toy_study import resolved


def overlaps(folder: Path, **changes: Any) -> dict[tuple[str, str], str]:
    """Reasons by cell; a cell stands once."""
    found = make_plan(resolved(folder, **changes)).record.overlaps
    assert len({(row, column) for row, column, _ in found}) == len(found)
    return {(row, column): why for row, column, why in found}


def test_every_task_of_a_mixture_counts_and_none_shares_nothing(folder: Path) -> None:
    rows = {"none": None, "mix": {"mixture": {"hellaswag": 0.5, "mnli": 0.3, "squad": 0.2}}, "hellaswag": None}
    found = overlaps(folder, intermediates=rows, targets={"xnli": None, "xquad": None, "udpos": None})
    assert set(found) == {("mix", "xnli"), ("mix", "xquad")}
    assert found["mix", "xnli"] == "mnli trains on the English training data of xnli (multinli)"


def test_a_searched_row_counts_with_all_that_it_may_draw_before_it_draws(folder: Path) -> None:
    search = {"weights": ["mnli", "squad", "hellaswag"], "proposals": 2}
    found = overlaps(folder, intermediates={"none": None, "searched": {"search": search}}, targets={"xnli": None})
    assert set(found) == {("searched", "xnli")}


def test_a_probe_is_marked_where_an_intermediate_trains_on_its_text(folder: Path) -> None:
    rows = {"none": None, "plain": None, "mnli": None}
    found = overlaps(folder, intermediates=rows, targets={"masked_lm": None})
    assert found == {("plain", "masked_lm"): "plain trains on what masked_lm is evaluated on (plain)"}


def test_a_reason_names_the_column_as_the_study_does(folder: Path) -> None:
    found = overlaps(folder, intermediates={"mnli": None}, targets={"inference": {"task": "xnli"}})
    assert found["mnli", "inference"].startswith("mnli trains on the English training data of inference")


def test_several_reasons_of_a_cell_are_one_text(folder: Path) -> None:
    rows = {"mix": {"mixture": {"plain": 0.5, "udpos": 0.5}}}
    record = make_plan(resolved(folder, intermediates=rows, targets={"masked_lm": None, "udpos": None})).record
    assert [(row, column) for row, column, _ in record.overlaps] == [("mix", "masked_lm"), ("mix", "udpos")]
    assert record_from_json(record_to_json(record)).overlaps == record.overlaps
