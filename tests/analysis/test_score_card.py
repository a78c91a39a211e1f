"""The score card over finished studies with known scores and made-up estimates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stilts.analysis.results import StudyResults
from stilts.analysis.score_card import score_card
from stilts.study.record import EstimateOutput
from tests.analysis.fake_store import FakeStore, column
from tests.analysis.studies import finished

XNLI, PANX, UDPOS = column("xnli"), column("panx", select=False), column("udpos")
SCORES = {"none": 50.0, "a": 40.0, "b": 60.0, "c": 70.0, "d": 80.0}


def estimated(folder: Path, figures: dict[tuple[str, str], float], seconds: float = 3.0) -> StudyResults:
    """A study of three targets on which rows score alike, with LogME of these cells."""
    results = finished(folder, {XNLI: SCORES, PANX: SCORES, UDPOS: SCORES})
    store = results.store
    assert isinstance(store, FakeStore)
    outputs, stages = [], dict(results.record.stages)
    for (row, target), value in figures.items():
        key = f"estimate-logme-{row}-{target}"
        store.results[key] = {"kind": "estimate", "value": value, "seconds": seconds}
        stages[key] = {"kind": "estimate", "name": "logme", "parent": None, "outputs": [key]}
        outputs.append(EstimateOutput(row=row, column=target, estimate="logme", key=key))
    record = replace(results.record, stages=stages, estimates=tuple(outputs))
    return StudyResults(record=record, store=store, draws=50)


def right(target: str, sign: float = 1.0) -> dict[tuple[str, str], float]:
    return {(row, target): sign * score for row, score in SCORES.items()}


def test_a_right_and_a_wrong_order(tmp_path: Path) -> None:
    card = score_card(estimated(tmp_path, right("xnli") | right("udpos", -1.0)))
    line = card.lines[0]
    assert card.rows == ("a", "b", "c", "d") and card.targets == ("xnli", "panx", "udpos")
    assert line.targets == ("xnli", "udpos")
    assert line.spearman is not None and line.spearman.value == pytest.approx(0.0)
    assert (line.spearman.low, line.spearman.high) == (-1.0, 1.0)
    assert [line.regret[k].value for k in (1, 3, 5)] == pytest.approx([20.0, 5.0, 0.0], abs=0.1)  # type: ignore[union-attr]
    assert line.regret_pct[1].value == pytest.approx(100 * 20 / 82, abs=0.2)  # type: ignore[union-attr]
    assert line.seconds == 3.0
    assert card.notes == ("logme of panx: no figure for a, b, c, d",)


def test_references_stand_beside_the_estimates(tmp_path: Path) -> None:
    card = score_card(estimated(tmp_path, right("xnli")))
    lines = {line.name: line for line in card.lines}
    assert list(lines) == ["logme", "best_on_others", "one_seed", "random"]
    assert lines["best_on_others"].spearman.value == pytest.approx(1.0)  # type: ignore[union-attr]
    assert lines["one_seed"].targets == ("xnli", "udpos"), "panx has no selection score"
    assert lines["one_seed"].seconds == pytest.approx(1800.0)
    # Of 40, 60, 70, 80 the first by chance loses 40, 20, 10 or 0.
    assert lines["random"].regret[1].value == pytest.approx(17.5, abs=0.1)  # type: ignore[union-attr]


def test_a_cell_that_is_not_estimated_leaves_its_target_out(tmp_path: Path) -> None:
    figures = right("xnli")
    del figures["c", "xnli"]
    card = score_card(estimated(tmp_path, figures | right("udpos")))
    assert card.lines[0].targets == ("udpos",)
    assert card.lines[0].spearman is not None and card.lines[0].spearman.low is None
    assert "logme of xnli: no figure for c" in card.notes


def test_the_card_can_be_judged_by_select(tmp_path: Path) -> None:
    card = score_card(estimated(tmp_path, right("xnli")), "select")
    assert card.targets == ("xnli", "udpos")
    assert card.lines[0].to_json()["regret@1"] == {"mean": 0.0, "low": None, "high": None}
