"""The no-answer threshold: chosen on select, kept in the results, applied to report, and part of what names a stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from stilts.execute import run_evaluate
from stilts.execute.run_stage import run_stage
from stilts.ledger.examples import EXAMPLES_FILE, NO_ANSWER_COLUMN, SPAN_COLUMN
from stilts.metrics.metric import metric
from stilts.metrics.no_answer import best_threshold, predictions_at, squad_v2_rows
from stilts.store import Store, make_store
from stilts.study.stage import EvaluateStage, Use
from stilts.tasks.truth import answers_in
from stilts.training.selection import score_view
from tests.training.tiny import evaluate_stage, part, run_config, train_stage

NAME = "subjqa_restaurants"


@pytest.fixture(scope="module")
def evaluated(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, EvaluateStage]:
    """A model of a few steps, evaluated on half unanswerable questions, with 40 others to choose by."""
    store = make_store(str(tmp_path_factory.mktemp("no_answer") / "store"))
    trained = train_stage(tiny_encoder, part(NAME, limit=64), steps=40, learning_rate=3e-3)
    run_stage(trained, store, run_config(tiny_encoder))
    stage = evaluate_stage(tiny_encoder, NAME, trained.stage_id, "en", limit=60, select=40)
    run_stage(stage, store, run_config(tiny_encoder))
    return store, stage


def examples_of(store: Store, key: str) -> dict[str, Any]:
    table = pq.read_table(store.fetch(key) / EXAMPLES_FILE)
    return {name: table[name].to_pylist() for name in table.column_names}


def test_the_threshold_of_select_answers_report(evaluated: tuple[Store, EvaluateStage]) -> None:
    store, stage = evaluated
    assert [item.use for item in stage.items] == [Use.SELECT, Use.REPORT]
    chosen_on = examples_of(store, stage.outputs[0])
    golds = [answers_in(truth) for truth in chosen_on["truth"]]
    assert 0 < sum(map(bool, golds)) < len(golds)
    threshold = best_threshold(golds, chosen_on[SPAN_COLUMN], np.array(chosen_on[NO_ANSWER_COLUMN]))
    for key in stage.outputs:
        result: dict[str, Any] = store.result(key)
        assert result["no_answer_threshold"] == threshold
        examples = examples_of(store, key)
        predictions = predictions_at(examples[SPAN_COLUMN], np.array(examples[NO_ANSWER_COLUMN]), threshold)
        assert list(predictions) == examples["prediction"]
        rows = squad_v2_rows([answers_in(truth) for truth in examples["truth"]], predictions)
        sums = dict(zip(metric("squad_v2").columns, rows.sum(axis=0), strict=True))
        assert result["score"] == pytest.approx(metric("squad_v2").score(sums))
        assert result["parts"] == pytest.approx(metric("squad_v2").parts(sums))
        assert {"has_ans_f1", "no_ans_f1"} < set(result["parts"])
    at_zero = f1_on_select(chosen_on, 0.0)
    assert f1_on_select(chosen_on, threshold) >= at_zero


def f1_on_select(examples: dict[str, Any], threshold: float) -> float:
    said = predictions_at(examples[SPAN_COLUMN], np.array(examples[NO_ANSWER_COLUMN]), threshold)
    return float(squad_v2_rows([answers_in(truth) for truth in examples["truth"]], said)[:, 1].sum())


def test_a_later_language_is_answered_by_the_stored_threshold(
    evaluated: tuple[Store, EvaluateStage], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, stage = evaluated
    (late,) = evaluate_stage(tiny_encoder, "xquad", stage.parent, "qab", limit=8).items
    more = replace(stage, items=(*stage.items, late))
    assert more.outputs[:2] == stage.outputs
    scored: list[str] = []

    def recorded(scorer: Any, task: Any, config: Any, view: Any, prepared: Any) -> Any:
        scored.append(view.language)
        return score_view(scorer, task, config, view, prepared)

    monkeypatch.setattr(run_evaluate, "score_view", recorded)
    run_stage(more, store, run_config(tiny_encoder))
    assert scored == ["qab"]
    assert store.result(more.outputs[2])["no_answer_threshold"] == store.result(stage.outputs[0])["no_answer_threshold"]


def test_what_the_threshold_is_chosen_on_is_predicted_once(
    evaluated: tuple[Store, EvaluateStage], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[str] = []

    def recorded(scorer: Any, task: Any, config: Any, view: Any, prepared: Any) -> Any:
        scored.append(view.split)
        return score_view(scorer, task, config, view, prepared)

    monkeypatch.setattr(run_evaluate, "score_view", recorded)
    store, stage = evaluated
    other = replace(stage, config=replace(stage.config, max_answer_tokens=7))
    run_stage(other, store, run_config(tiny_encoder))
    assert scored == ["dev", "test"]


def test_without_selection_data_the_threshold_is_zero(
    evaluated: tuple[Store, EvaluateStage], tiny_encoder: Path
) -> None:
    store, stage = evaluated
    assert stage.parent is not None
    alone = evaluate_stage(tiny_encoder, NAME, stage.parent, "en", limit=20)
    run_stage(alone, store, run_config(tiny_encoder))
    assert store.result(alone.outputs[0])["no_answer_threshold"] == 0.0
    examples = examples_of(store, alone.outputs[0])
    expected = predictions_at(examples[SPAN_COLUMN], np.array(examples[NO_ANSWER_COLUMN]), 0.0)
    assert examples["prediction"] == list(expected)


def test_other_questions_keep_no_threshold(evaluated: tuple[Store, EvaluateStage], tiny_encoder: Path) -> None:
    store, _ = evaluated
    parent = train_stage(tiny_encoder, part("xquad", limit=16), steps=1)
    run_stage(parent, store, run_config(tiny_encoder))
    stage = evaluate_stage(tiny_encoder, "xquad", parent.stage_id, "en", limit=8, select=8)
    run_stage(stage, store, run_config(tiny_encoder))
    for key in stage.outputs:
        assert "no_answer_threshold" not in store.result(key) and SPAN_COLUMN not in examples_of(store, key)
