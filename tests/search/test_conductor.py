"""The conductor over real plans and a real store, with stages that publish made-up results at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stilts.app.workspace import assemble
from stilts.ledger.decision import Pruned
from stilts.ledger.records import PRUNED
from stilts.search.conductor import Conductor
from stilts.search.objective import make_aims
from stilts.search.proposals import ProposalBook
from stilts.search.pruning import NoPruning, PruningRule, Ruling
from stilts.search.row_search import RowSearch
from stilts.search.rung_history import Rung, RungHistory
from stilts.search.work_source import NoStage
from stilts.store import Store, make_store
from stilts.study.recording import describe_column
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.settings import search_space
from stilts.study.stage import EvaluateStage, Stage, TrainStage
from stilts.study.study import Study
from stilts.training.reporter import Evaluation
from tests.study.toy_study import study_fields, write_encoder_folder

SEARCH = {"learning_rate": {"low": 1e-6, "high": 1e-2, "log": True}, "proposals": 3, "sampler": "random"}
SEARCHED = {"mnli": {"search": SEARCH}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def resolved(folder: Path, **changes: Any) -> ResolvedStudy:
    text = json.dumps(study_fields(**changes))
    return assemble(Study.parse(text, folder / "study.yaml")).resolved


def conductor(folder: Path, store: Store, pruning: PruningRule | None = None, **changes: Any) -> Conductor:
    subject = resolved(folder, **changes)
    searches = {}
    columns = [describe_column(subject, name) for name in subject.study.columns]
    for row, content in subject.study.rows.items():
        if content.search is not None:
            book = ProposalBook(
                storage_url=None,
                study_name=subject.study.name,
                row=row,
                space=search_space(content.search),
                sampler=content.search.sampler,
                seed=0,
                aims=make_aims("udpos", columns, "english_dev"),
            )
            total = content.search.proposals
            searches[row] = RowSearch(study=subject.study.name, row=row, total=total, book=book, store=store)
    return Conductor(resolved=subject, store=store, searches=searches, pruning=pruning or NoPruning())


def publish(stage: Stage, store: Store, folder: Path) -> None:
    """What run_stage would leave, made up."""
    content = folder / "content"
    content.mkdir(exist_ok=True)
    (content / "file").write_text(stage.stage_id)
    with store.lease(stage.stage_id) as lease:
        for key in stage.outputs:
            result: dict[str, Any] = {"seconds": 2.0, "num_items": 1, "score": float(len(key) % 7)}
            store.publish(key, content, payload={}, result=result, lease=lease)


def drive(
    subject: Conductor,
    store: Store,
    folder: Path,
    *,
    fail: Callable[[Stage], bool] = lambda stage: False,
    prune: Callable[[Stage], bool] = lambda stage: False,
    at_most: int = 10_000,
) -> list[Stage]:
    """Runs stages one at a time and gives them in order."""
    ran: list[Stage] = []
    while len(ran) < at_most and not isinstance(stage := subject.next_stage(), NoStage):
        ran.append(stage)
        if fail(stage):
            subject.failed(stage.stage_id, "ValueError: broken on purpose", will_retry=False)
            continue
        if prune(stage):
            where = {"stage_id": stage.stage_id, "row": "mnli", "column": "udpos", "proposal": 0}
            pruned = Pruned(step=1, steps=2, score=1.0, policy="p", reason="on purpose", **where)  # type: ignore[arg-type]
            PRUNED.write(store, pruned, subject.resolved.study.name, stage.stage_id)
        else:
            publish(stage, store, folder)
        state = "pruned" if prune(stage) else "done"
        subject.finished(stage.stage_id, {"state": state, "stage_id": stage.stage_id, "executed": True, "seconds": 1.0})
    return ran


def is_recipe(stage: Stage) -> bool:
    return isinstance(stage, TrainStage) and stage.parent is None and stage.name == "mnli"


# --- order and end ---


def test_every_stage_is_handed_out_once_after_its_parent(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store)
    ids = [stage.stage_id for stage in drive(subject, store, tmp_path)]
    assert sorted(ids) == sorted(subject.plan.stages) and len(set(ids)) == len(ids)
    for stage_id in ids:
        parent = subject.plan.stages[stage_id].parent
        assert parent is None or ids.index(parent) < ids.index(stage_id)
    assert subject.next_stage() is NoStage.FINISHED
    progress = subject.progress()
    assert (progress.done, progress.running, progress.failed) == (len(ids), 0, 0) and progress.total == len(ids)


def test_what_most_stages_wait_for_goes_first(folder: Path, store: Store) -> None:
    subject = conductor(folder, store)
    first = subject.next_stage()
    assert not isinstance(first, NoStage)
    descendants = subject.plan.descendants
    assert descendants[first.stage_id] == max(descendants.values())


def test_what_another_driver_did_meanwhile_and_dropped_has_not_failed(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    late, first = conductor(folder, store), conductor(folder, store)
    stage = late.next_stage()
    assert isinstance(stage, TrainStage)
    drive(first, store, tmp_path)
    store.drop_files(stage.stage_id, "nothing needs them")

    assert not late.failed(stage.stage_id, "StoreError: files of it: they were dropped", will_retry=False)
    assert late.failures == {} and drive(late, store, tmp_path) == []


def test_a_failure_that_nobody_made_good_stands(folder: Path, store: Store) -> None:
    subject = conductor(folder, store)
    stage = subject.next_stage()
    assert not isinstance(stage, NoStage)
    assert subject.failed(stage.stage_id, "ValueError: broken", will_retry=False)
    assert list(subject.failures) == [stage.stage_id]


def test_it_waits_while_something_runs_that_others_need(folder: Path, store: Store) -> None:
    subject = conductor(folder, store, intermediates={"none": None}, targets={"udpos": {"languages": ["en"]}})
    stage = subject.next_stage()
    assert not isinstance(stage, NoStage) and subject.next_stage() is NoStage.WAIT
    assert subject.progress().running == 1


def test_a_second_run_has_nothing_to_do(folder: Path, store: Store, tmp_path: Path) -> None:
    drive(conductor(folder, store), store, tmp_path)
    heard: list[str] = []
    again = conductor(folder, store)
    again.on_change = heard.append
    assert again.next_stage() is NoStage.FINISHED and heard == []
    assert again.progress().done == again.progress().total


def test_a_new_language_runs_only_its_evaluations(folder: Path, store: Store, tmp_path: Path) -> None:
    drive(conductor(folder, store, targets={"udpos": {"languages": ["en"]}}), store, tmp_path)
    ran = drive(conductor(folder, store, targets={"udpos": {"languages": ["en", "qab"]}}), store, tmp_path)
    assert len(ran) == 3 and all(isinstance(stage, EvaluateStage) for stage in ran)


def test_weights_that_are_gone_are_made_again_when_something_starts_from_them(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    targets = {"udpos": {"languages": ["en"]}}
    drive(conductor(folder, store, targets=targets, intermediates={"mnli": None}), store, tmp_path)
    train = [key for key in store.done() if key.startswith("train-")]
    for key in train:
        store.drop_files(key, "no longer needed")
    assert conductor(folder, store, targets=targets, intermediates={"mnli": None}).next_stage() is NoStage.FINISHED
    more = {"udpos": {"languages": ["en", "qaa"]}}
    ran = drive(conductor(folder, store, targets=more, intermediates={"mnli": None}), store, tmp_path)
    assert sum(isinstance(stage, TrainStage) for stage in ran) == len(train) == 3


# --- failures ---


def test_a_failed_stage_blocks_only_what_starts_from_it(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store)
    ran = drive(subject, store, tmp_path, fail=is_recipe)
    (recipe,) = (stage for stage in ran if is_recipe(stage))
    below = set(subject.plan.children[recipe.stage_id])
    below |= {child for stage_id in below for child in subject.plan.children[stage_id]}
    assert {stage.stage_id for stage in ran} == set(subject.plan.stages) - below
    assert subject.next_stage() is NoStage.FINISHED
    assert list(subject.failures) == [recipe.stage_id] and subject.progress().failed == 1
    record = store.read_record(f"failures/{recipe.stage_id}")
    assert isinstance(record, dict) and (record["kind"], record["error"]) == ("ValueError", "broken on purpose")


def test_a_failed_stage_is_tried_again_by_the_next_run(folder: Path, store: Store, tmp_path: Path) -> None:
    first = conductor(folder, store)
    drive(first, store, tmp_path, fail=is_recipe)
    ran = drive(conductor(folder, store), store, tmp_path)
    assert is_recipe(ran[0]) and len(ran) == 1 + first.plan.descendants[ran[0].stage_id]


def test_a_failure_that_will_be_retried_keeps_the_stage_running(folder: Path, store: Store) -> None:
    subject = conductor(folder, store, intermediates={"none": None}, targets={"udpos": {"languages": ["en"]}})
    stage = subject.next_stage()
    assert not isinstance(stage, NoStage)
    subject.failed(stage.stage_id, "OSError: away", will_retry=True)
    assert subject.next_stage() is NoStage.WAIT and subject.failures == {}


# --- searches ---


def recorded(store: Store) -> list[Mapping[str, Any]]:
    values = [store.read_record(name) for name in store.records("studies/small/proposals/mnli/")]
    return [value for value in values if isinstance(value, dict)]


def test_all_proposals_are_drawn_once_and_run(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store, intermediates=SEARCHED)
    ran = drive(subject, store, tmp_path)
    assert [value["number"] for value in recorded(store)] == [0, 1, 2]
    assert len({json.dumps(value["params"]) for value in recorded(store)}) == 3
    recipes = [stage for stage in ran if is_recipe(stage)]
    rates = [stage.config.learning_rate for stage in recipes if isinstance(stage, TrainStage)]
    assert rates == [value["params"]["learning_rate"] for value in recorded(store)]
    assert subject.next_stage() is NoStage.FINISHED
    assert len(ran) == len(subject.plan.stages) == len({stage.stage_id for stage in ran})


def test_one_proposal_is_open_at_a_time(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store, intermediates=SEARCHED)
    most = 0
    while not isinstance(stage := subject.next_stage(), NoStage):
        search = subject.searches["mnli"]
        most = max(most, search.open_proposals(subject.stages.known))
        publish(stage, store, tmp_path)
        subject.finished(stage.stage_id, {"state": "done", "executed": True, "seconds": 1.0})
    assert most == 1 and len(recorded(store)) == 3


@pytest.mark.parametrize("after", range(0, 16, 3))
def test_a_run_that_goes_on_proposes_nothing_twice(after: int, folder: Path, store: Store, tmp_path: Path) -> None:
    whole_store = make_store(str(tmp_path / "whole"))
    whole = drive(conductor(folder, whole_store, intermediates=SEARCHED), whole_store, tmp_path)
    first = drive(conductor(folder, store, intermediates=SEARCHED), store, tmp_path, at_most=after)
    second = drive(conductor(folder, store, intermediates=SEARCHED), store, tmp_path)
    ids = [stage.stage_id for stage in [*first, *second]]
    assert len(set(ids)) == len(ids) and set(ids) == {stage.stage_id for stage in whole}
    without_time = [{**value, "time": 0} for value in recorded(store)]
    assert without_time == [{**value, "time": 0} for value in recorded(whole_store)]


def test_a_failed_recipe_counts_as_a_proposal(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store, intermediates=SEARCHED)
    ran = drive(subject, store, tmp_path, fail=is_recipe)
    assert len(recorded(store)) == 3 == sum(is_recipe(stage) for stage in ran)
    assert subject.next_stage() is NoStage.FINISHED and len(subject.failures) == 3


# --- pruning ---


def is_searched_tuning(subject: Conductor) -> Callable[[Stage], bool]:
    def found(stage: Stage) -> bool:
        return any(r.target_stage == stage.stage_id and r.proposal is not None for r in subject.plan.replicates)

    return found


def test_what_was_pruned_is_skipped_by_the_next_run(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store, intermediates=SEARCHED)
    ran = drive(subject, store, tmp_path, prune=is_searched_tuning(subject))
    assert len(recorded(store)) == 3, "a pruned proposal is closed, the next is drawn"
    scored = {stage.parent for stage in ran if isinstance(stage, EvaluateStage)}
    assert not scored & {stage.stage_id for stage in ran if is_searched_tuning(subject)(stage)}
    again = conductor(folder, store, intermediates=SEARCHED)
    assert again.next_stage() is NoStage.FINISHED
    assert again.progress().failed == 0 and len(recorded(store)) == 3


class Strict:
    """Stops whatever scores below 50, and remembers what it was shown."""

    label = "strict"

    def __init__(self) -> None:
        self.shown: list[tuple[str, float, float]] = []

    def rule(self, history: RungHistory, rung: Rung) -> Ruling:
        self.shown.append((rung.recipe, rung.fraction, rung.score))
        return Ruling(stop=rung.score < 50.0, reason=f"{rung.score} is below 50.", peers={"9": 50.0})


def udpos(score: float) -> Evaluation:
    return Evaluation(scores={"udpos": score})


def test_a_stop_is_written_down_and_only_searched_targets_are_judged(folder: Path, store: Store) -> None:
    policy = Strict()
    subject = conductor(folder, store, policy, intermediates=SEARCHED)
    while not is_recipe(stage := subject.next_stage()):  # type: ignore[arg-type]
        assert not isinstance(stage, NoStage)
    assert not isinstance(stage, NoStage)
    replicate = next(r for r in subject.plan.replicates if r.row == "mnli" and r.target_stage)
    tuned = str(replicate.target_stage)
    baseline = next(str(r.target_stage) for r in subject.plan.replicates if r.row == "none" and r.target_stage)
    for judged in (stage.stage_id, baseline):
        assert not subject.stops(judged, 5, 10, udpos(1.0))
    assert policy.shown == []
    assert not subject.stops(tuned, 5, 10, udpos(60.0))
    assert subject.stops(tuned, 5, 10, udpos(40.0))
    assert policy.shown == [("0", 0.5, 60.0), ("0", 0.5, 40.0)]
    record = store.read_record(f"studies/small/pruned/{tuned}")
    assert isinstance(record, dict) and record["reason"] == "40.0 is below 50." and record["step"] == 5
    assert (record["score"], record["policy"], record["peers"]) == (40.0, "strict", {"9": 50.0})


def test_no_weights_are_made_again_for_a_stage_that_was_pruned(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store, intermediates=SEARCHED)
    drive(subject, store, tmp_path, prune=is_searched_tuning(subject))
    for key in [key for key in store.done() if key.startswith("train-")]:
        store.drop_files(key, "no longer needed")
    assert conductor(folder, store, intermediates=SEARCHED).next_stage() is NoStage.FINISHED
