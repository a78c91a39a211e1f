"""Stages are called by their cells."""

from __future__ import annotations

from stilts.study.record import Row, StudyRecord
from stilts.study.stage_names import NamesNow, cell_address, stage_names, typed_replicate
from tests.analysis.fake_store import column, record, replicate

XNLI, UDPOS = column("xnli"), column("udpos")
ROWS = [Row(name="none"), Row(name="mnli"), Row(name="searched", searched=True)]
CELLS = [
    replicate("none", XNLI, None, 2),
    replicate("mnli", XNLI, 2, 2),
    replicate("mnli", UDPOS, 2, 1),
    replicate("searched", XNLI, 0, 0, proposal=3),
]


def made() -> StudyRecord:
    return record(ROWS, [XNLI, UDPOS], CELLS)


def test_a_stage_is_called_by_the_first_cell_that_it_serves() -> None:
    names = stage_names(made())
    none, first, second, searched = CELLS
    assert names[str(none.target_stage)] == "none > xnli, seed 2"
    assert names[str(first.intermediate_stage)] == "mnli, seed 2"
    assert names[str(first.target_stage)] == "mnli > xnli, seed 2"
    assert names[first.evaluate_stage] == "scores of mnli > xnli, seed 2"
    assert names[str(second.target_stage)] == "mnli > udpos, seeds 2 and 1"
    assert names[str(searched.target_stage)] == "searched (proposal 3) > xnli, seed 0"
    assert set(names) == set(made().stages)


def test_what_serves_no_cell_has_its_kind_and_task() -> None:
    subject = made()
    more = {**subject.stages, "train-plain-0": {"kind": "train", "name": "plain", "parent": None, "outputs": []}}
    assert stage_names(record(ROWS, [XNLI, UDPOS], CELLS, stages=more))["train-plain-0"] == "train plain"


def test_what_is_typed_needs_no_quotes() -> None:
    assert cell_address("mnli", "xnli") == "mnli/xnli"
    assert typed_replicate(CELLS[1].replicate_id) == "mnli/xnli/i2/t2"


def test_names_follow_the_record() -> None:
    now = [made()]
    names = NamesNow(lambda: now[0])
    assert names() is names(), "worked out once"
    now[0] = record(ROWS, [XNLI], CELLS[:1])
    assert set(names()) == set(now[0].stages)
