"""Retention follows the DAG; cleaning up drops what the plan lists and nothing that a study or a process needs."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.ledger.gc import apply_gc, plan_gc
from stilts.ledger.study_record import write_study
from stilts.store import Store, make_store
from stilts.store.artifacts import Attempt
from stilts.store.retention import (
    Drop,
    DropKind,
    PlannedStage,
    Retention,
    StoredWeights,
    WeightsUse,
    drop_weights,
    needed_by,
    rebuild_s,
)
from stilts.study.record import Column, Replicate, Row, StageFacts, StudyRecord
from tests.contracts.store_contract import fill, publish

INTERMEDIATE, TARGET, OTHER = "train-mnli-1", "train-xnli-1", "train-panx-1"
SCORES = ("evaluate-xnli-1/report.de-1", "evaluate-xnli-1/report.tr-1")


def planned(stage_id: str, parent: str | None, *outputs: str) -> PlannedStage:
    return PlannedStage(stage_id=stage_id, parent=parent, outputs=outputs or (stage_id,))


def stored(stage_id: str, use: WeightsUse, seconds: float, *, gone: bool = False) -> StoredWeights:
    return StoredWeights(stage_id=stage_id, uses=frozenset({use}), bytes=10, gone=gone, seconds=seconds)


PLANNED = {
    stage.stage_id: stage
    for stage in (
        planned("train-toy-1", None),
        planned(INTERMEDIATE, "train-toy-1"),
        planned(TARGET, INTERMEDIATE),
        planned(OTHER, INTERMEDIATE),
        planned("evaluate-xnli-1", TARGET, *SCORES),
        planned("evaluate-panx-1", OTHER, "evaluate-panx-1/report.de-1"),
    )
}
WEIGHTS = {
    "train-toy-1": stored("train-toy-1", WeightsUse.PRETRAINING, 50.0),
    INTERMEDIATE: stored(INTERMEDIATE, WeightsUse.INTERMEDIATE, 100.0),
    TARGET: stored(TARGET, WeightsUse.TARGET, 7.0),
}
DONE = frozenset({*WEIGHTS, *SCORES})
VALUES = Retention(planned=PLANNED, weights=WEIGHTS, done=DONE)


def dropped(retention: Retention) -> dict[str, float]:
    return {drop.key: drop.rebuild_s for drop in drop_weights(retention)}


def with_adapters(*, pinned: frozenset[str] = frozenset(), done: frozenset[str] = DONE, **gone: bool) -> Retention:
    """The target is an adapter on the intermediate, and that one on the encoder; ``gone`` by use."""
    below = {**PLANNED, TARGET: replace(PLANNED[TARGET], rests_on=(INTERMEDIATE,))}
    below = {one: stage for one, stage in below.items() if stage.parent not in ("train-toy-1", OTHER) and one != OTHER}
    below[INTERMEDIATE] = planned(INTERMEDIATE, None)
    weights = {
        one: replace(WEIGHTS[one], gone=gone.get(next(iter(WEIGHTS[one].uses)).value, False))
        for one in (INTERMEDIATE, TARGET)
    }
    return Retention(planned=below, weights=weights, done=done, pinned=pinned)


def test_what_an_adapter_rests_on_stays_while_the_adapter_is_read() -> None:
    unfinished = with_adapters(done=DONE - {SCORES[1]})
    assert dropped(unfinished) == {} and needed_by(unfinished, INTERMEDIATE) == "evaluate-xnli-1"
    assert dropped(with_adapters(done=DONE - {SCORES[1]}, target=True)) == {}
    without = replace(unfinished, planned={**unfinished.planned, TARGET: PLANNED[TARGET]})
    assert dropped(without) == {INTERMEDIATE: 100.0}, "whole weights need nobody below"


def test_a_pinned_adapter_keeps_what_it_rests_on() -> None:
    assert dropped(with_adapters(pinned=frozenset({TARGET}))) == {}
    assert dropped(with_adapters()) == {INTERMEDIATE: 100.0, TARGET: 107.0}


def test_an_adapter_comes_back_with_all_that_it_rests_on() -> None:
    both = with_adapters(intermediate=True, target=True)
    assert rebuild_s(both, [TARGET], frozenset()) == 107.0


def test_what_a_merge_adds_stays_until_it_is_merged() -> None:
    merged = replace(planned("train-merge-1", "train-toy-1"), merged=(INTERMEDIATE,))
    known = {one: stage for one, stage in PLANNED.items() if stage.parent != OTHER and one != OTHER}
    values = replace(VALUES, planned={**known, "train-merge-1": merged})
    assert INTERMEDIATE not in dropped(values)
    assert INTERMEDIATE in dropped(replace(values, done=DONE | {"train-merge-1"}))


def test_a_target_goes_once_all_its_scores_are_stored() -> None:
    assert dropped(VALUES) == {TARGET: 7.0}
    assert dropped(replace(VALUES, done=DONE - {SCORES[1]})) == {}


def test_an_intermediate_goes_once_no_planned_child_needs_it() -> None:
    assert needed_by(VALUES, INTERMEDIATE) == OTHER
    done = replace(VALUES, done=DONE | {OTHER, "evaluate-panx-1/report.de-1"})
    assert needed_by(done, INTERMEDIATE) is None
    assert dropped(done) == {INTERMEDIATE: 100.0, TARGET: 107.0}
    assert dropped(replace(VALUES, pruned=frozenset({OTHER}))) == {INTERMEDIATE: 100.0, TARGET: 107.0}


def test_pinned_weights_and_pretrained_encoders_stay() -> None:
    assert dropped(replace(VALUES, pinned=frozenset({TARGET}))) == {}
    assert needed_by(replace(VALUES, pruned=frozenset({OTHER})), "train-toy-1") is None


def test_a_parent_stays_while_a_child_must_be_trained_again() -> None:
    rebuilding = replace(
        VALUES,
        weights={**WEIGHTS, TARGET: stored(TARGET, WeightsUse.TARGET, 7.0, gone=True)},
        done=DONE - {SCORES[0]},
        pruned=frozenset({OTHER}),
    )
    assert needed_by(rebuilding, INTERMEDIATE) == TARGET
    assert dropped(rebuilding) == {}


def test_a_rebuild_counts_every_stage_of_the_chain_once() -> None:
    assert rebuild_s(VALUES, [TARGET, INTERMEDIATE], frozenset({TARGET, INTERMEDIATE})) == 107.0
    assert rebuild_s(VALUES, [TARGET], frozenset({TARGET})) == 7.0


COLUMN = Column(
    name="xnli",
    task="xnli",
    kind="classification",
    metric="accuracy",
    group="classification",
    languages=("de",),
    select_languages=(),
)


def record(name: str = "mini", *, languages: tuple[str, ...] = ("de",)) -> StudyRecord:
    """A study of one row and one column that scores in these languages."""
    outputs = [f"evaluate-xnli-1/report.{language}-1" for language in languages]
    stages: dict[str, StageFacts] = {
        INTERMEDIATE: {"kind": "train", "name": "mnli", "parent": None, "outputs": [INTERMEDIATE]},
        TARGET: {"kind": "train", "name": "xnli", "parent": INTERMEDIATE, "outputs": [TARGET]},
        "evaluate-xnli-1": {"kind": "evaluate", "name": "xnli", "parent": TARGET, "outputs": outputs},
    }
    replicate = Replicate(
        row="mnli",
        column="xnli",
        intermediate_seed=1,
        target_seed=1,
        proposal=None,
        intermediate_stage=INTERMEDIATE,
        target_stage=TARGET,
        evaluate_stage="evaluate-xnli-1",
        outputs={"report": {language: f"evaluate-xnli-1/report.{language}-1" for language in languages}},
    )
    return StudyRecord(
        name=name,
        encoder="toy",
        toy=True,
        selection="english_dev",
        rows=(Row(name="none"), Row(name="mnli")),
        columns=(COLUMN,),
        replicates=(replicate,),
        stages=stages,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in which ``record()`` is done."""
    store = make_store(str(tmp_path / "store"))
    for key in (INTERMEDIATE, TARGET, "evaluate-xnli-1/report.de-1"):
        publish(store, key, fill(tmp_path / key.replace("/", "_"), weights="0123456789"))
    return store


def of_kind(drops: tuple[Drop, ...], kind: DropKind) -> dict[str, int]:
    return {drop.key: drop.bytes for drop in drops if drop.kind is kind}


def test_a_finished_study_keeps_its_results_only(store: Store) -> None:
    plan = plan_gc(store, [record()])
    assert of_kind(plan.drops, DropKind.FILES) == {INTERMEDIATE: 10, TARGET: 10}
    assert plan.bytes == 20 and plan.rebuild_s == 4.0 and plan.unreferenced == ()
    assert not store.gone(TARGET)  # a plan deletes nothing
    done = apply_gc(store, plan)
    assert done.bytes == 20 and done.skipped == ()
    assert store.gone_keys() == {INTERMEDIATE, TARGET} and len(store.done()) == 3
    assert (store.fetch("evaluate-xnli-1/report.de-1") / "weights").exists()
    again = plan_gc(store, [record()])
    assert again.bytes == 0 and again.rebuild_s == 0


@pytest.mark.parametrize("intermediate", [INTERMEDIATE, None])
def test_what_a_target_is_learned_after_goes_with_it(store: Store, tmp_path: Path, intermediate: str | None) -> None:
    before = "train-socialiqa-1"
    publish(store, before, fill(tmp_path / before, weights="0123456789"))
    plain = record()
    stages: dict[str, StageFacts] = {
        **{stage_id: fields.copy() for stage_id, fields in plain.stages.items()},
        before: {"kind": "train", "name": "socialiqa", "parent": intermediate, "outputs": [before]},
    }
    stages[TARGET]["parent"] = before
    replicates = (replace(plain.replicates[0], intermediate_stage=intermediate),)
    chained = replace(plain, stages=stages, replicates=replicates, training_data={"xnli": ["copa"]})
    assert before in of_kind(plan_gc(store, [chained]).drops, DropKind.FILES)
    open_stage = replace(chained, stages={**stages, OTHER: {**stages[TARGET], "outputs": [OTHER]}})
    assert before not in of_kind(plan_gc(store, [open_stage]).drops, DropKind.FILES)
    # The same chain without an intermediate, where the first stage is the encoder's own pretraining.
    pretrained = replace(chained, training_data={"": ["plain"], "xnli": ["copa"]})
    assert (before in of_kind(plan_gc(store, [pretrained]).drops, DropKind.FILES)) is (intermediate is not None)
    write_study(store, chained)
    assert before in of_kind(plan_gc(store, []).drops, DropKind.FILES)


def test_recipes_stay_while_merges_of_them_may_still_be_drawn(store: Store) -> None:
    def searched(drawn: int) -> StudyRecord:
        one = record()
        (cell,) = one.replicates
        row = Row(name="found", searched=True, num_proposals=2, merges=("mnli",))
        done = [replace(cell, row="found", proposal=number) for number in range(drawn)]
        return replace(one, rows=(*one.rows, row), replicates=(*one.replicates, *done))

    assert INTERMEDIATE not in of_kind(plan_gc(store, [searched(0)]).drops, DropKind.FILES)
    assert INTERMEDIATE not in of_kind(plan_gc(store, [searched(1)]).drops, DropKind.FILES)
    assert INTERMEDIATE in of_kind(plan_gc(store, [searched(2)]).drops, DropKind.FILES)


def test_other_studies_of_the_store_keep_what_they_need(store: Store) -> None:
    write_study(store, record("other", languages=("de", "tr")))
    assert of_kind(plan_gc(store, [record()]).drops, DropKind.FILES) == {INTERMEDIATE: 10}
    assert of_kind(plan_gc(store, []).drops, DropKind.FILES) == {INTERMEDIATE: 10}


def test_champions_and_held_stages_stay(store: Store) -> None:
    plan = plan_gc(store, [record()], pinned={TARGET})
    assert of_kind(plan.drops, DropKind.FILES) == {INTERMEDIATE: 10}
    with store.lease(INTERMEDIATE):
        assert of_kind(plan_gc(store, [record()], pinned={TARGET}).drops, DropKind.FILES) == {}
        assert [drop.key for drop in apply_gc(store, plan).skipped] == [INTERMEDIATE]
    assert store.gone_keys() == frozenset()


def test_strangers_are_listed_and_stay_unless_asked_for(store: Store, tmp_path: Path) -> None:
    publish(store, "train-stranger-1", fill(tmp_path / "x", weights="12345"))
    plan = plan_gc(store, [record()])
    assert [(item.key, item.bytes) for item in plan.unreferenced] == [("train-stranger-1", 5)]
    apply_gc(store, plan)
    assert not store.gone("train-stranger-1")
    plan = plan_gc(store, [record()], include_unreferenced=True)
    assert of_kind(plan.drops, DropKind.FILES) == {"train-stranger-1": 5} and plan.rebuild_s == 2.0
    apply_gc(store, plan)
    assert store.gone("train-stranger-1") and store.result("train-stranger-1")["seconds"] == 2.0


def test_checkpoints_of_done_stages_go_and_others_stay(store: Store, tmp_path: Path) -> None:
    for stage_id in (TARGET, OTHER):
        with store.lease(stage_id) as lease:
            store.save_progress(stage_id, fill(tmp_path / "c", state="state"), lease)
    plan = plan_gc(store, [record()])
    assert set(of_kind(plan.drops, DropKind.PROGRESS)) == {TARGET}
    assert [item.key for item in plan.unreferenced] == [OTHER]
    apply_gc(store, plan)
    assert store.load_progress(TARGET) is None and store.load_progress(OTHER) is not None


def test_files_of_killed_publishers_go_unless_somebody_works_there(store: Store) -> None:
    folder = Path(store.url) / "files" / OTHER / ("attempt-" + "0" * 16)
    fill(folder, weights="half")
    assert of_kind(plan_gc(store, [record()]).drops, DropKind.ATTEMPT) == {OTHER: 4}
    with store.lease(OTHER):
        assert of_kind(plan_gc(store, [record()]).drops, DropKind.ATTEMPT) == {}
    apply_gc(store, plan_gc(store, [record()]))
    assert not folder.exists() and store.orphans() == []


def test_an_attempt_that_was_published_since_it_was_listed_stays(store: Store) -> None:
    listed = Attempt(key=TARGET, token=store.fetch(TARGET).name, bytes=10)
    assert store.drop_attempt(listed) == 0
    assert (store.fetch(TARGET) / "weights").exists()


def test_leases_of_done_stages_go_and_others_keep_counting(store: Store) -> None:
    with store.lease(OTHER):
        pass
    apply_gc(store, plan_gc(store, [record()], pinned={INTERMEDIATE, TARGET}))
    assert {state.name for state in store.lease_states()} == {OTHER}


def test_old_litter_goes(store: Store) -> None:
    temporary = Path(store.url) / "tmp"
    old, new, folder, own = (temporary / name for name in ("0" * 32, "1" * 32, "2" * 32, "thesis"))
    folder.mkdir()
    for file in (old, new, folder / "weights", own):
        file.write_text("x")
    for file in (old, folder / "weights", own):
        os.utime(file, (time.time() - 30 * 86400,) * 2)
    plan = plan_gc(store, [record()])
    apply_gc(store, plan)
    assert new.exists() and own.exists() and not old.exists() and not folder.exists()
    assert plan.strays == ("tmp/thesis",)


def test_ten_thousand_artifacts_are_listed_in_no_time(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    for number in range(10_000):
        folder = (
            Path(store.url)
            / "stages"
            / (f"evaluate-{number // 30}/report.{number}" if number % 2 else f"train-{number}")
        )
        folder.mkdir(parents=True)
        (folder / "done.json").touch()
    start = time.process_time()
    assert len(store.done()) == 10_000
    # 0.1 to 0.2 s on an idle machine; the bound is for one whose cores are shared.
    assert time.process_time() - start < 2.0
