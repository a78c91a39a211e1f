from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stilts.analysis.matrix import MATRIX_COLUMNS, cells
from stilts.analysis.proposals import chosen_proposals
from stilts.analysis.results import StudyResults
from stilts.errors import StoreError
from stilts.ledger.evaluations import Evaluations
from stilts.metrics.metric import metric
from stilts.study.record import Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, matrix_of, record, replicate

NONE, MNLI = Row(name="none"), Row(name="mnli", mixture={"mnli": 1.0})
XNLI = column("xnli")
BASE = [replicate("none", XNLI, None, seed) for seed in (1, 2)]
TREATED = [replicate("mnli", XNLI, seed, seed) for seed in (1, 2)]


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return FakeStore(tmp_path)


def cell(table: pd.DataFrame, row: str, target: str = "xnli") -> pd.Series:
    return table[(table["row"] == row) & (table["column"] == target)].iloc[0]


def two_rows(**changes: object) -> StudyRecord:
    return record([NONE, MNLI], [XNLI], [*BASE, *TREATED], **changes)


def test_the_frame_is_tidy(store: FakeStore) -> None:
    evaluate(store, BASE[0], 60)
    frame = matrix_of(two_rows(), store)
    assert tuple(frame.columns) == MATRIX_COLUMNS
    assert len(frame) == 4 * (4 + 1)  # replicates x (report languages + select language)
    done = frame[frame["state"] == "done"]
    assert set(done["replicate_id"]) == {BASE[0].replicate_id}
    assert done["score"].tolist() == pytest.approx([60.0] * 5)
    assert frame[frame["state"] == "missing"]["score"].isna().all()


def test_cells_hold_score_gain_and_spread(store: FakeStore) -> None:
    for item, score in zip([*BASE, *TREATED], [60, 62, 70, 74], strict=True):
        evaluate(store, item, score)
    table = cells(two_rows(), matrix_of(two_rows(), store))
    assert cell(table, "none")["score"] == pytest.approx(61)
    assert cell(table, "none")["gain"] == 0
    assert cell(table, "mnli")["gain"] == pytest.approx(11)
    assert cell(table, "mnli")["sd"] == pytest.approx(8**0.5)
    assert cell(table, "mnli")[["num_done", "num_planned", "state"]].tolist() == [2, 2, "done"]


def test_what_is_not_done_is_counted_and_never_averaged(store: FakeStore) -> None:
    evaluate(store, BASE[0], 60)
    evaluate(store, TREATED[0], 70)
    half = TREATED[1]
    evaluate(store, half, 5)
    english = half.outputs["report"]["en"]
    for key in [key for by in half.outputs.values() for key in by.values() if key != english]:
        del store.results[key]
    found = cell(cells(two_rows(), matrix_of(two_rows(), store)), "mnli")
    assert found["score"] == pytest.approx(70)
    assert found[["num_done", "num_planned", "state"]].tolist() == [1, 2, "missing"]


@pytest.mark.parametrize(
    ("note", "state"),
    [
        ("failures/train-mnli-pNone-i1", "failed"),
        ("studies/study/pruned/train-mnli-pNone-i1", "pruned"),
        ("studies/another/pruned/train-mnli-pNone-i1", "missing"),
    ],
)
def test_a_stage_that_did_not_finish_shows_in_its_descendants(store: FakeStore, note: str, state: str) -> None:
    store.notes[note] = {}
    study = record([NONE, MNLI], [XNLI], [TREATED[0]])
    assert set(matrix_of(study, store)["state"]) == {state}
    assert cell(cells(study, matrix_of(study, store)), "mnli")["state"] == state


def test_a_leased_stage_makes_its_replicate_pending(store: FakeStore) -> None:
    store.leases.add(TREATED[0].target_stage or "")
    store.notes[f"failures/{TREATED[0].target_stage}"] = {}  # an earlier attempt
    study = record([NONE, MNLI], [XNLI], [TREATED[0]])
    assert set(matrix_of(study, store)["state"]) == {"pending"}


def test_a_done_result_outlives_the_record_of_an_earlier_failure(store: FakeStore) -> None:
    evaluate(store, BASE[0], 60)
    store.notes[f"failures/{BASE[0].evaluate_stage}"] = {}
    assert set(matrix_of(record([NONE], [XNLI], [BASE[0]]), store)["state"]) == {"done"}


def test_without_none_there_is_no_gain(store: FakeStore) -> None:
    evaluate(store, TREATED[0], 60)
    table = cells(two_rows(), matrix_of(two_rows(), store))
    assert pd.isna(cell(table, "mnli")["gain"])


def test_overlaps_are_named(store: FakeStore) -> None:
    study = two_rows(overlaps=(("mnli", "xnli", "MNLI is XNLI's English training set"),))
    table = cells(study, matrix_of(study, store))
    assert cell(table, "mnli")["overlap"] == "MNLI is XNLI's English training set"
    assert pd.isna(cell(table, "none")["overlap"])


class TestProposals:
    row = Row(name="mix", mixture={}, searched=True, num_proposals=3)
    panx, tatoeba = column("panx"), column("tatoeba", select=False)

    def study(self, store: FakeStore, select: dict[tuple[int, str], float]) -> StudyRecord:
        columns = [XNLI, self.panx, self.tatoeba]
        items = [replicate("mix", target, 1, 1, proposal) for proposal in range(3) for target in columns]
        for item in items:
            evaluate(store, item, 50 + 10 * (item.proposal or 0), use="report")
            score = select.get((item.proposal or 0, item.column))
            if score is not None and "select" in item.outputs:
                evaluate(store, item, score, use="select")
        return record([NONE, self.row], columns, items)

    def test_the_highest_selection_score_wins_on_its_own_column(self, store: FakeStore) -> None:
        study = self.study(store, {(0, "xnli"): 70, (1, "xnli"): 60, (0, "panx"): 10, (1, "panx"): 40, (2, "panx"): 30})
        table = cells(study, matrix_of(study, store))
        assert cell(table, "mix", "xnli")[["proposal", "score"]].tolist() == [0, 50]
        assert cell(table, "mix", "panx")[["proposal", "score"]].tolist() == [1, 60]

    def test_without_a_selection_score_the_best_elsewhere_wins(self, store: FakeStore) -> None:
        study = self.study(
            store,
            {(0, "xnli"): 70, (1, "xnli"): 60, (2, "xnli"): 90, (0, "panx"): 10, (1, "panx"): 40},
        )  # proposal 2 lacks a column, so it is not compared
        assert cell(cells(study, matrix_of(study, store)), "mix", "tatoeba")["proposal"] == 1

    def test_among_equals_the_lowest_number_wins(self, store: FakeStore) -> None:
        study = self.study(store, {(2, "xnli"): 70, (1, "xnli"): 70})
        assert cell(cells(study, matrix_of(study, store)), "mix")["proposal"] == 1

    def test_before_any_selection_score_nothing_stands_for_the_row(self, store: FakeStore) -> None:
        study = self.study(store, {})
        found = cell(cells(study, matrix_of(study, store)), "mix")
        assert pd.isna(found["proposal"])
        assert pd.isna(found["score"])
        assert found["num_done"] == 0

    def test_what_is_not_confirmed_shows_the_search_and_claims_nothing(self, store: FakeStore) -> None:
        study = self.study(store, {(0, "xnli"): 70, (1, "xnli"): 60})
        results = StudyResults(record=study, store=store, draws=10)  # type: ignore[arg-type]
        found = cell(results.cells, "mix")
        assert (found["state"], found["score"], found["proposal"]) == ("unconfirmed", 50, 0) and pd.isna(found["gain"])
        assert results.sides("xnli") == {} and len(results.language_scores) == 0

    def test_only_fresh_seeds_are_reported(self, store: FakeStore) -> None:
        study = self.study(store, {(0, "xnli"): 70, (1, "xnli"): 60, (0, "panx"): 20, (1, "panx"): 60})
        fresh = [replicate("mix", XNLI, 1000 + seed, 1000 + seed, 1, confirms=True) for seed in range(3)]
        for item, score in zip(fresh[:2], (41, 43), strict=True):
            evaluate(store, item, score)
        row = replace(self.row, confirmed={"xnli": 1, "panx": 0})
        study = replace(study, rows=(NONE, row), replicates=(*study.replicates, *fresh))
        results = StudyResults(record=study, store=store, draws=10)  # type: ignore[arg-type]
        found = cell(results.cells, "mix")  # proposal 0 has the higher selection score, and 1 is what was confirmed
        assert (found["proposal"], found["score"], found["num_done"], found["num_planned"]) == (1, 42, 2, 3)
        assert found["state"] == "missing" and results.sides("xnli")["mix"].mean == pytest.approx(42)
        assert cell(results.cells, "mix", "panx")["state"] == "unconfirmed"

    def test_one_recipe_stands_for_one_objective(self, store: FakeStore) -> None:
        study = self.study(store, {(0, "xnli"): 70, (1, "xnli"): 60, (0, "panx"): 20, (1, "panx"): 60})
        study = replace(study, rows=(NONE, replace(self.row, objectives=("xtreme_average",))))
        table = cells(study, matrix_of(study, store))
        assert [cell(table, "mix", name)["proposal"] for name in ("xnli", "panx", "tatoeba")] == [1, 1, 1]

    def test_report_scores_never_choose(self, store: FakeStore) -> None:
        study = self.study(store, {(0, "xnli"): 70, (1, "xnli"): 60, (2, "xnli"): 50})
        frame = matrix_of(study, store)
        assert chosen_proposals(study, pd.DataFrame(columns=[*frame.columns])) == {}


def test_examples_without_the_metrics_columns_are_refused(store: FakeStore) -> None:
    evaluate(store, BASE[0], 60)
    with pytest.raises(StoreError, match="no column gold, predicted, tp"):
        Evaluations(store=store).rows(BASE[0].outputs["report"]["en"], metric("span_f1"))


def test_near_guessing_is_a_distance_or_where_guessing_is_hopeless_a_multiple() -> None:
    from stilts.analysis.matrix import NEAR_CHANCE_PP, chance_ceiling

    assert chance_ceiling(33.3) == 33.3 + NEAR_CHANCE_PP
    assert chance_ceiling(None) == chance_ceiling(float("nan")) == NEAR_CHANCE_PP
    assert 0.1 < chance_ceiling(0.1) < 2.0  # one candidate in a thousand: 2 % is twenty times guessing
