"""What a summary holds is what the artifacts hold; where it is missing or partial the artifacts are read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.evaluations import Evaluations
from stilts.analysis.matrix import load_matrix
from stilts.analysis.results import StudyResults
from stilts.ledger.results import EvaluateResult, typed_result
from stilts.ledger.summary import SUMMARIES, Summary, summarise
from stilts.ledger.typed import to_fields
from stilts.metrics.metric import metric
from stilts.study.record import Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

XNLI, ACCURACY = column("xnli"), metric("accuracy")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FakeStore]:
    yield FakeStore(tmp_path)


def study(store: FakeStore) -> StudyRecord:
    items = [replicate("none", XNLI, None, seed) for seed in (1, 2)]
    items += [replicate("mnli", XNLI, seed, seed) for seed in (1, 2)]
    for number, item in enumerate(items):
        for use in item.outputs:
            evaluate(store, item, 60 + number, use=use)
    return record([Row(name="none"), Row(name="mnli")], [XNLI], items)


def write_summaries(study: StudyRecord, store: FakeStore, *, but: tuple[str, ...] = ()) -> None:
    plain = Evaluations(record=study, store=store)  # type: ignore[arg-type]
    for item in study.replicates:
        outputs = {}
        for key in (key for by_language in item.outputs.values() for key in by_language.values()):
            rows = plain.rows(key, ACCURACY)
            columns = {name: rows.values[:, i] for i, name in enumerate(ACCURACY.columns)}
            if key not in but:
                result = typed_result(key, store.results[key])
                assert isinstance(result, EvaluateResult)
                outputs[key] = summarise(result, list(rows.items), columns)
        store.notes[SUMMARIES.name(item.evaluate_stage)] = to_fields(Summary(outputs=outputs))


def test_summaries_give_the_same_matrix_and_the_same_draws(store: FakeStore) -> None:
    of = study(store)
    before = StudyResults(record=of, store=store, draws=50)  # type: ignore[arg-type]
    frame, sides = before.frame, before.sides("xnli")
    write_summaries(of, store)
    after = StudyResults(record=of, store=store, draws=50)  # type: ignore[arg-type]
    assert after.frame.equals(frame)
    for name, side in after.sides("xnli").items():
        assert np.array_equal(side.draws, sides[name].draws)


def test_a_summary_that_lacks_an_output_hides_nothing(store: FakeStore) -> None:
    of = study(store)
    lacking = of.replicates[0].outputs["report"]["sw"]
    write_summaries(of, store, but=(lacking,))
    evaluations = Evaluations(record=of, store=store)  # type: ignore[arg-type]
    assert lacking not in evaluations.summaries
    assert lacking in evaluations.done
    assert set(load_matrix(of, store)["state"]) == {"done"}  # type: ignore[arg-type]


def test_with_whole_summaries_one_artifact_tells_the_items_of_all(store: FakeStore) -> None:
    of = study(store)
    write_summaries(of, store)
    (one,) = list(store.results)[:1]
    store.results = {one: store.results[one]}
    assert set(load_matrix(of, store)["state"]) == {"done"}  # type: ignore[arg-type]


def test_examples_that_nobody_has_any_more_are_damaged(store: FakeStore) -> None:
    of = study(store)
    write_summaries(of, store)
    store.results.clear()
    evaluations = Evaluations(record=of, store=store)  # type: ignore[arg-type]
    assert evaluations.done == frozenset() and all(fault.study == of.name for fault in evaluations.damaged.values())
    assert set(load_matrix(of, store, evaluations)["state"]) == {"damaged"}  # type: ignore[arg-type]


def test_a_damaged_summary_is_passed_over(store: FakeStore) -> None:
    of = study(store)
    for item in of.replicates:
        store.notes[SUMMARIES.name(item.evaluate_stage)] = {"outputs": {"x": 3, "y": {}}}
    assert set(load_matrix(of, store)["state"]) == {"done"}  # type: ignore[arg-type]
