"""A language whose data have no score stands in no table, mean or interval, and is named with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from stilts.analysis.best import answers_of
from stilts.analysis.results import StudyResults
from stilts.analysis.wording import unscored_notes
from stilts.study.record import NONE_ROW, Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

XNLI = column("xnli")
ROWS = (NONE_ROW, "mnli")


def results(tmp_path: Path, unscored: dict[str, dict[str, float]], **given: object) -> StudyResults:
    """A study of two rows with two seeds; ``unscored`` gives languages without a score their parts."""
    store, items = FakeStore(tmp_path), []
    for row in ROWS:
        for seed in range(2):
            items.append(replicate(row, XNLI, None if row == NONE_ROW else seed, seed))
            evaluate(store, items[-1], (60.0 if row == NONE_ROW else 70.0) + seed)
            for language, parts in unscored.items():
                key = items[-1].outputs["report"][language]
                store.results[key] = {**store.results[key], "score": None, "parts": parts}
    study = record([Row(name=row) for row in ROWS], [XNLI], items)
    return StudyResults(record=study, store=store, draws=200, **given)  # type: ignore[arg-type]


def test_a_language_without_a_score_is_in_no_mean_and_no_interval(tmp_path: Path) -> None:
    whole = results(tmp_path / "whole", {})
    without = results(tmp_path / "without", {"sw": {"accuracy": 0.0}})
    assert without.unscored == {"xnli": {"sw": "no example has a label"}} and whole.unscored == {}
    assert without.column("xnli").languages == ("en", "de", "zh")
    assert set(without.language_scores["language"]) == {"en", "de", "zh"}
    assert without.cells["score"].tolist() == pytest.approx(whole.cells["score"].tolist(), abs=1.0)
    assert all(state == "done" for state in without.cells["state"])
    assert set(without.sides("xnli")["mnli"].languages) == {"en", "de", "zh"}
    assert "sw" not in {gain.language for gain in without.language_gains("mnli", "xnli")}


def test_the_answer_names_it_with_the_reason(tmp_path: Path) -> None:
    found = results(tmp_path, {"sw": {"accuracy": 0.0}, "zh": {}})
    [answer] = answers_of(found)
    assert "xnli has no score in sw (no example has a label), which no mean holds" in answer.notes
    assert "xnli has no score in zh (its labels are kept back), which no mean holds" in answer.notes


def test_a_target_without_any_score_has_no_column_and_is_named(tmp_path: Path) -> None:
    found = results(tmp_path, {code: {} for code in XNLI.languages})
    assert found.record.columns == () and found.record.replicates == () and answers_of(found) == ()
    assert unscored_notes(found.unscored) == [
        "xnli has no score in en, de, sw, zh (its labels are kept back), which no mean holds"
    ]


def test_who_wants_predictions_keeps_the_language(tmp_path: Path) -> None:
    found = results(tmp_path, {"sw": {}}, keeps_unscored=True)
    assert found.column("xnli").languages == XNLI.languages
    assert all("sw" in one.outputs["report"] for one in found.record.replicates)


def test_what_is_seen_under_another_objective_has_left_it_out_too(tmp_path: Path) -> None:
    found = results(tmp_path, {"sw": {}})
    other = found.under("gain")
    assert other.unscored == found.unscored and other.column("xnli").languages == ("en", "de", "zh")
