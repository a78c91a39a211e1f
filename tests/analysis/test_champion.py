"""Which model is a target's champion: by select alone, among what is reported too, down to the encoder of a row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stilts.analysis.best import answers_of
from stilts.analysis.champion import (
    champion_stages,
    champions_of,
    model_stage,
    pinned_stages,
    ranked_replicates,
)
from stilts.analysis.groups import group_answers
from stilts.analysis.objectives import objective_answer
from stilts.analysis.results import StudyResults
from stilts.ledger.typed import to_fields
from stilts.study.record import Replicate, Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

ROWS = [Row(name=name) for name in ("none", "mnli", "squad")]


def made(items: list[Replicate]) -> StudyRecord:
    return record(ROWS, [column("xnli")], items)


def results_of(study: StudyRecord, store: FakeStore) -> StudyResults:
    return StudyResults(record=study, store=store, draws=20)  # type: ignore[arg-type]


def test_select_chooses_row_and_replicate_whatever_report_says(tmp_path: Path) -> None:
    store = FakeStore(tmp_path)
    items = [replicate(row.name, column("xnli"), 0, seed) for row in ROWS for seed in (0, 1)]
    select = {"none": (60, 61), "mnli": (70, 74), "squad": (71, 71)}
    for item in items:
        assert item.target_seed is not None
        evaluate(store, item, select[item.row][item.target_seed], use="select")
        evaluate(store, item, 90.0 if item.row == "none" else 50.0, use="report")
    results = results_of(made(items), store)
    chosen = champions_of(results)["xnli"]
    assert (chosen.row, chosen.target_seed) == ("mnli", 1)
    assert [each.target_seed for each in ranked_replicates(results, "mnli", "xnli")] == [1, 0]
    assert champion_stages(results) == {"xnli": chosen.target_stage}


def test_a_control_is_no_champion_and_never_advised_whatever_it_scores(tmp_path: Path) -> None:
    store, rows = FakeStore(tmp_path), [ROWS[0], ROWS[1], Row(name="squad", control="shuffled_labels")]
    items = [replicate(row.name, column("xnli"), 0, seed) for row in rows for seed in (0, 1)]
    for item in items:
        score = {"none": 60.0, "mnli": 70.0, "squad": 95.0}[item.row] + (item.target_seed or 0)
        for use in ("select", "report"):
            evaluate(store, item, score, use=use)
    study = record(rows, [column("xnli")], items)
    results = results_of(study, store)
    (answer,) = answers_of(results)
    assert champions_of(results)["xnli"].row == answer.chosen == "mnli"
    assert "squad" not in answer.equals and "squad" not in answer.p_best
    assert "squad" in [gain.row for gain in answer.gains], "what it gains is told all the same"
    whole = objective_answer(results, "xtreme_average")
    assert whole.chosen == "mnli" and "squad" not in [row.row for row in whole.rows]
    (group,) = group_answers(results, "language", [answer])[:1]
    assert group.oracle == "mnli"


def test_a_row_without_report_is_no_champion_yet(tmp_path: Path) -> None:
    store = FakeStore(tmp_path)
    items = [replicate(row.name, column("xnli"), 0, 0) for row in ROWS[:2]]
    evaluate(store, items[0], 60.0)
    evaluate(store, items[1], 80.0, use="select")
    assert champions_of(results_of(made(items), store))["xnli"].row == "none"


def test_where_the_target_does_not_train_the_champion_is_the_rows_encoder(tmp_path: Path) -> None:
    store = FakeStore(tmp_path)
    items = [replace(replicate(row.name, column("xnli"), 0, 0), target_stage=None) for row in ROWS[:2]]
    base = made(items)
    stages = {**base.stages}
    for item in items:
        stages[item.evaluate_stage] = {**stages[item.evaluate_stage], "parent": item.intermediate_stage}
    study = replace(base, stages=stages)
    evaluate(store, items[0], 60.0)
    evaluate(store, items[1], 70.0)
    assert champion_stages(results_of(study, store)) == {"xnli": items[1].intermediate_stage}
    assert model_stage(study, items[0]) is None


def test_champions_of_every_study_in_the_store_are_pinned(tmp_path: Path) -> None:
    store = FakeStore(tmp_path)
    studies = {}
    for name, rows in (("a", ROWS[:2]), ("b", [ROWS[0], ROWS[2]])):
        items = [replicate(row.name, column(f"{name}_target"), 0, 0) for row in rows]
        for number, item in enumerate(items):
            evaluate(store, item, 60.0 + number)
        studies[name] = replace(record(list(rows), [column(f"{name}_target")], items), name=name)
        store.notes[f"studies/{name}/record"] = to_fields(studies[name])
    expected = {stage for each in studies.values() for stage in champion_stages(results_of(each, store)).values()}
    assert len(expected) == 2
    assert pinned_stages(store) == expected  # type: ignore[arg-type]
