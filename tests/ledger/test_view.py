"""States by what stages left; scores from summaries, or from artifacts where these are missing or partial."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.results import StudyResults
from stilts.errors import DamagedError
from stilts.ledger.evaluations import Evaluations
from stilts.ledger.records import FAILURES, PRUNED, Failure
from stilts.ledger.results import EvaluateResult, typed_result
from stilts.ledger.state import State, worst
from stilts.ledger.summary import SUMMARIES, Summary, summarise
from stilts.ledger.typed import to_fields
from stilts.ledger.view import StudyView
from stilts.metrics.metric import metric
from stilts.study.record import Replicate, Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, matrix_of, record, replicate

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


def viewed(study: StudyRecord, store: FakeStore) -> StudyView:
    return StudyView(record=study, store=store)  # type: ignore[arg-type]


def write_summaries(study: StudyRecord, store: FakeStore, *, but: tuple[str, ...] = ()) -> None:
    plain = Evaluations(store=store)
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
    before = StudyResults(record=of, store=store, draws=50)
    frame, sides = before.frame, before.sides("xnli")
    write_summaries(of, store)
    after = StudyResults(record=of, store=store, draws=50)
    assert after.frame.equals(frame)
    for name, side in after.sides("xnli").items():
        assert np.array_equal(side.draws, sides[name].draws)


def test_a_summary_that_lacks_an_output_hides_nothing(store: FakeStore) -> None:
    of = study(store)
    lacking = of.replicates[0].outputs["report"]["sw"]
    write_summaries(of, store, but=(lacking,))
    view = viewed(of, store)
    assert lacking not in view.evaluations.summaries
    assert lacking in view.scored
    assert set(matrix_of(of, store)["state"]) == {"done"}


def test_with_whole_summaries_one_artifact_tells_the_items_of_all(store: FakeStore) -> None:
    of = study(store)
    write_summaries(of, store)
    (one,) = list(store.results)[:1]
    store.results = {one: store.results[one]}
    assert set(matrix_of(of, store)["state"]) == {"done"}


def test_examples_that_nobody_has_any_more_are_damaged(store: FakeStore) -> None:
    of = study(store)
    write_summaries(of, store)
    store.results.clear()
    view = viewed(of, store)
    assert view.scored == frozenset() and all(fault.study == of.name for fault in view.damaged.values())
    assert {view.replicate_state(one) for one in of.replicates} == {State.DAMAGED}
    assert view.stage_state(of.replicates[0].evaluate_stage) is State.DAMAGED


def test_a_damaged_summary_is_passed_over(store: FakeStore) -> None:
    of = study(store)
    for item in of.replicates:
        store.notes[SUMMARIES.name(item.evaluate_stage)] = {"outputs": {"x": 3, "y": {}}}
    assert set(matrix_of(of, store)["state"]) == {"done"}


@pytest.fixture
def lost(store: FakeStore) -> tuple[StudyRecord, Replicate]:
    """A study whose last replicate lacks every output but one."""
    of = study(store)
    last = of.replicates[-1]
    for key in list(last.outputs["report"].values())[1:]:
        del store.results[key]
    for stage in of.stages:
        if stage.startswith("train-"):
            store.train(stage, seconds=1.0)
    return of, last


def test_what_lacks_outputs_is_as_its_stages_are(lost: tuple[StudyRecord, Replicate], store: FakeStore) -> None:
    of, last = lost
    notes = {State.MISSING: "", State.PRUNED: PRUNED.name(of.name, str(last.target_stage))}
    notes[State.FAILED] = FAILURES.name(str(last.intermediate_stage))
    for state, note in notes.items():  # each is more than the one before, and stays beside it
        store.notes |= {note: {}} if note else {}
        view = viewed(of, store)
        assert view.replicate_state(last) is view.replicate_state(last, "report") is state
        assert view.replicate_state(last, "select") is State.DONE
        assert sorted(view.output_states(last).values()) == ["done"] * 2 + [state] * 3
    store.leases = {last.evaluate_stage}  # another attempt is under way
    view = viewed(of, store)
    assert view.is_running and view.replicate_state(last) is State.PENDING
    assert all(view.replicate_state(one) is State.DONE for one in of.replicates[:-1])


def test_a_stage_is_as_it_is_itself_and_not_as_its_parents_are(
    lost: tuple[StudyRecord, Replicate], store: FakeStore
) -> None:
    of, last = lost
    stage, parent = last.evaluate_stage, str(last.target_stage)
    del store.results[parent]
    store.notes[FAILURES.name(parent)] = {}
    assert {viewed(of, store).stage_state(one) for one in of.stages if one not in (stage, parent)} == {State.DONE}
    assert viewed(of, store).stage_state(stage) is State.MISSING
    assert viewed(of, store).stage_state(parent) is State.FAILED
    store.leases = {parent}
    assert viewed(of, store).stage_state(parent) is State.PENDING


def test_why_a_stage_failed_is_known_or_cannot_be_read(lost: tuple[StudyRecord, Replicate], store: FakeStore) -> None:
    of, last = lost
    failure = Failure(stage_id=last.evaluate_stage, error="no memory", kind="MemoryError", attempts=2, time=1.0)
    store.notes[FAILURES.name(last.evaluate_stage)] = to_fields(failure)
    store.notes[FAILURES.name("evaluate-of-another-study")] = to_fields(failure)
    assert viewed(of, store).failures.values == {last.evaluate_stage: failure}
    assert viewed(of, store).failure(last.evaluate_stage) == failure
    assert viewed(of, store).failure(str(last.target_stage)) is None
    store.notes[FAILURES.name(last.evaluate_stage)] = {"error": "no memory"}
    with pytest.raises(DamagedError):
        viewed(of, store).failure(last.evaluate_stage)
    assert viewed(of, store).stage_state(last.evaluate_stage) is State.FAILED


def test_only_what_is_done_has_scores_and_a_cost(lost: tuple[StudyRecord, Replicate], store: FakeStore) -> None:
    of, last = lost
    view = viewed(of, store)
    assert list(view.scores(last, "report")) == list(last.outputs["report"])[:1]
    assert view.scores(last, "select").keys() == last.outputs["select"].keys()
    del store.results[str(last.target_stage)]
    assert viewed(of, store).seconds.keys() == of.stages.keys() - {str(last.target_stage)}


def test_what_was_read_is_not_read_again(lost: tuple[StudyRecord, Replicate], store: FakeStore) -> None:
    of, _ = lost
    view = viewed(of, store)
    states = [view.stage_state(stage) for stage in of.stages]
    before = dict(view.faults)
    store.results.clear()
    store.notes.clear()
    assert [view.stage_state(stage) for stage in of.stages] == states and view.faults == before
    assert {viewed(of, store).stage_state(stage) for stage in of.stages} == {State.MISSING}


def test_the_most_serious_state_speaks_for_the_others() -> None:
    assert worst(State) is State.DAMAGED
    assert worst(["done", "pruned", "failed", "missing"]) is State.FAILED
    assert worst(["pending", "done", "missing"]) is State.MISSING
