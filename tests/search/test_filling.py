"""A selecting policy and a budget over real plans and a real store; stages publish made-up scores at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stilts.app.filling import make_filling
from stilts.errors import StudyError
from stilts.ledger.decisions import decisions
from stilts.search.budget import joined
from stilts.search.conductor import Conductor
from stilts.search.selecting.policy import Question, Suggestion
from stilts.search.selecting.select import Select
from stilts.search.work_source import NoStage
from stilts.store import Store, make_store
from stilts.study.policy_schema import StudyBudget
from stilts.study.record import NONE_ROW
from stilts.study.stage import EstimateStage, EvaluateStage, Stage, StageKind
from tests.study.toy_study import parsed, resolved, write_encoder_folder

ROWS: Mapping[str, Any] = {name: None for name in ("none", "mnli", "qqp", "snli", "piqa", "hellaswag", "cosmosqa")}
COLUMNS: Mapping[str, Any] = {name: {"languages": ["en"]} for name in ("udpos", "panx", "xnli")}
SELECT = {"name": "select"}
SECONDS = 10.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


class Driver:
    """Runs a conductor's stages one after the other; each takes ten seconds, and scores what ``score`` says."""

    def __init__(self, folder: Path, store: Store, scratch: Path, **changes: Any) -> None:
        fields: dict[str, Any] = {"intermediates": ROWS, "targets": COLUMNS, "policy": SELECT, **changes}
        study = parsed(folder, **fields)
        self.conductor = Conductor(
            resolved=resolved(folder, **fields),
            store=store,
            filling=make_filling(study, store),
            budget=study.file.policy.budget,
        )
        self.store, self.scratch = store, scratch / "content"
        self.scratch.mkdir(exist_ok=True)
        (self.scratch / "file").write_text("content")

    def run(self, at_most: int = 10_000, fail: str = "") -> list[Stage]:
        ran: list[Stage] = []
        while len(ran) < at_most and not isinstance(stage := self.conductor.next_stage(), NoStage):
            ran.append(stage)
            if fail and fail in stage.stage_id:
                self.conductor.failed(stage.stage_id, "ValueError: broken on purpose", will_retry=False)
                continue
            self._publish(stage)
            outcome = {"state": "done", "stage_id": stage.stage_id, "executed": True, "seconds": SECONDS}
            self.conductor.finished(stage.stage_id, outcome)
        return ran

    def _publish(self, stage: Stage) -> None:
        with self.store.lease(stage.stage_id) as lease:
            for key in stage.outputs:
                result: dict[str, Any] = {
                    "seconds": SECONDS / len(stage.outputs),
                    "num_items": 1,
                    "score": self._score(stage) if isinstance(stage, EvaluateStage) else 0.0,
                    "value": 0.5 if isinstance(stage, EstimateStage) else None,
                }
                self.store.publish(key, self.scratch, payload={}, result=result, lease=lease)

    def _score(self, stage: EvaluateStage) -> float:
        """Higher for snli by far, else by the row's name; the same for all targets, and 30 for every probe."""
        whole = self.conductor.whole
        row = next((one.row for one in whole.replicates if one.evaluate_stage == stage.stage_id), None)
        if row is None:
            return 30.0
        return 90.0 if row == "snli" else 40.0 + list(ROWS).index(row)


def cells(driver: Driver) -> set[tuple[str, str]]:
    return {(one.row, one.column) for one in driver.conductor.plan.replicates}


def spied(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Every question that the policy is asked from here on."""
    asked: list[Question] = []
    suggest = Select.suggest

    def listening(self: Select, question: Question, *rest: Any) -> Suggestion:
        asked.append(question)
        return suggest(self, question, *rest)

    monkeypatch.setattr(Select, "suggest", listening)
    return asked


def test_the_baseline_comes_first_and_every_batch_has_a_reason(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path)
    first = driver.run(at_most=3)
    assert all(stage.parent is None for stage in first)
    assert {(NONE_ROW, column) for column in COLUMNS} <= cells(driver)
    driver.run()
    found = decisions(store, "small")
    assert "baseline" in found[0].reason and found[-1].kind == "stop"
    assert all(one.reason for one in found) and [one.time for one in found] == sorted(one.time for one in found)


def test_it_finds_the_best_row_without_the_whole_grid(folder: Path, store: Store, tmp_path: Path) -> None:
    replicates = {"default": {"count": 4}}
    driver = Driver(folder, store, tmp_path, replicates=replicates)
    driver.run()
    stop = decisions(store, "small")[-1]
    choices = stop.details["choices"]
    assert isinstance(choices, list) and {str(c["source"]) for c in choices} == {"snli"}  # type: ignore[index,call-overload]
    assert all(c["probability"] > 0.5 for c in choices)  # type: ignore[index,call-overload,operator]
    assert len(driver.conductor.plan.replicates) < len(driver.conductor.whole.replicates)


def test_it_waits_for_what_runs_rather_than_asking_blindly(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path)
    driver.conductor.max_open = 2
    waiting = [driver.conductor.next_stage() for _ in range(20)]
    assert NoStage.WAIT in waiting and len(decisions(store, "small")) == 1
    running = [stage for stage in waiting if not isinstance(stage, NoStage)]
    assert {stage.name for stage in running} == set(COLUMNS) - {"xnli"} | {"mnli"}


def test_a_worker_is_not_idle_while_many_cells_wait_for_one_recipe(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path)
    done = driver.run(at_most=30)
    recipes = {one.intermediate_stage for one in driver.conductor.whole.replicates}
    while not isinstance(stage := driver.conductor.next_stage(), NoStage) and stage.stage_id not in recipes:
        driver._publish(stage)
        outcome = {"state": "done", "stage_id": stage.stage_id, "executed": True, "seconds": SECONDS}
        driver.conductor.finished(stage.stage_id, outcome)
    assert done and not isinstance(stage, NoStage), "a recipe runs, and its row's cells wait for it"
    driver.conductor.max_open = 2
    assert not isinstance(driver.conductor.next_stage(), NoStage)


def test_a_resumed_study_keeps_what_was_asked_for(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path)
    driver.run(at_most=9)
    asked = cells(driver)
    again = Driver(folder, store, tmp_path)
    assert asked <= cells(again)
    again.run()
    ran = again.conductor.plan
    third = Driver(folder, store, tmp_path)
    assert third.run() == [] and third.conductor.plan.stages.keys() == ran.stages.keys()
    assert len([one for one in decisions(store, "small") if one.kind == "stop"]) == 1


def test_a_budget_is_kept_to_within_one_stage(folder: Path, store: Store, tmp_path: Path) -> None:
    hours = 205 / 3600
    driver = Driver(folder, store, tmp_path, policy={**SELECT, "budget": {"stage_hours": hours}})
    ran = driver.run()
    spent = driver.conductor.gate.account.spent
    assert spent.seconds == len(ran) * SECONDS and spent.seconds <= 205 + SECONDS
    last = decisions(store, "small")[-1]
    assert last.kind == "stop" and "spent" in last.reason
    assert Driver(folder, store, tmp_path, policy={**SELECT, "budget": {"stage_hours": hours}}).run() == []


@pytest.mark.parametrize("at", [0, 7])
def test_a_budget_of_trials_counts_all_runs(folder: Path, store: Store, tmp_path: Path, at: int) -> None:
    changes: dict[str, Any] = {"policy": {"name": "grid", "budget": {"trials": 11}}}
    first = Driver(folder, store, tmp_path, **changes).run(at_most=at)
    second = Driver(folder, store, tmp_path, **changes).run()
    assert len(first) + len(second) == 11
    assert "11 trials" in decisions(store, "small")[-1].reason


def test_a_larger_budget_goes_on_where_the_smaller_ended(folder: Path, store: Store, tmp_path: Path) -> None:
    small = Driver(folder, store, tmp_path, policy={**SELECT, "budget": {"grids": 0.3}})
    small.run()
    large = Driver(folder, store, tmp_path, policy={**SELECT, "budget": {"grids": 0.8}})
    more = large.run()
    assert more and cells(small) < cells(large)


def test_half_a_grid_costs_half_of_what_the_grid_costs(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path, policy={**SELECT, "budget": {"grids": 0.5}})
    driver.run()
    whole = len(driver.conductor.whole.stages) * SECONDS
    assert driver.conductor.gate.account.spent.seconds <= 0.5 * whole + SECONDS


def test_a_failed_cell_is_not_asked_for_again(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path)
    ran = driver.run(fail="train-panx")
    tried = [stage.stage_id for stage in ran if "train-panx" in stage.stage_id]
    assert len(tried) == len(set(tried)) > 0
    choices = decisions(store, "small")[-1].details["choices"]
    assert "panx" not in {c["target"] for c in choices}  # type: ignore[index,call-overload,union-attr]


def test_columns_that_choose_nothing_come_with_the_rows_that_are_trained(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    targets = {**COLUMNS, "tatoeba": None}
    driver = Driver(folder, store, tmp_path, targets=targets, policy={**SELECT, "budget": {"grids": 0.4}})
    driver.run()
    trained = {row for row, column in cells(driver) if column != "tatoeba"}
    assert {row for row, column in cells(driver) if column == "tatoeba"} == trained
    assert len(trained) < len(ROWS)


def test_what_another_study_did_is_known_and_costs_nothing(folder: Path, store: Store, tmp_path: Path) -> None:
    other = Driver(folder, store, tmp_path, name="other", policy="grid")
    ran = other.run()
    driver = Driver(folder, store, tmp_path)
    assert ran and driver.run() == []
    stop = decisions(store, "small")[-1]
    assert stop.kind == "stop" and len(stop.details["choices"]) == len(COLUMNS)  # type: ignore[arg-type]
    assert cells(driver) == cells(other), "what the choice rests on stands in the matrix"
    again = Driver(folder, store, tmp_path)
    assert again.run() == [] and cells(again) == cells(other)


def test_what_was_only_found_trains_nothing_for_columns_that_choose_nothing(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    Driver(folder, store, tmp_path, name="other", policy="grid").run()
    driver = Driver(folder, store, tmp_path, targets={**COLUMNS, "tatoeba": None})
    ran = driver.run()
    assert {stage.name for stage in ran} == {"tatoeba"} and len(ran) == 1, "that of none, which rides with the baseline"


def test_priors_come_from_a_study_or_a_table_and_are_recorded(folder: Path, store: Store, tmp_path: Path) -> None:
    lines = [f"{row},{column},{80 if row == 'piqa' else 50}" for row in ROWS for column in COLUMNS]
    (folder / "smaller.csv").write_text("source,target,score\n" + "\n".join(lines) + "\n")
    driver = Driver(folder, store, tmp_path, policy={**SELECT, "priors": ["smaller.csv"]})
    ran = driver.run(at_most=14)
    recipes = {one.intermediate_stage for one in driver.conductor.whole.replicates}
    assert next(stage.name for stage in ran if stage.stage_id in recipes) == "piqa"
    assert {("piqa", column) for column in COLUMNS} <= cells(driver), "a prior alone settles nothing"
    assert decisions(store, "small")[0].details["priors"] == ["smaller.csv"]


def test_estimates_come_first_and_are_asked_with(
    folder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = spied(monkeypatch)
    driver = Driver(folder, store, tmp_path, estimates=["size", "text_overlap"])
    ran = driver.run()
    kinds = [stage.kind for stage in ran]
    number = kinds.count(StageKind.ESTIMATE)
    assert number and set(kinds[:number]) == {StageKind.ESTIMATE}
    features = asked[0].features
    assert features is not None and features.shape == (len(ROWS), len(COLUMNS), 2)
    assert np.isfinite(features[list(ROWS).index("mnli")]).all()


def test_a_probe_guides_as_a_prior(folder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spied(monkeypatch)
    Driver(folder, store, tmp_path, estimates=["size", "probe"]).run()
    [look] = asked[-1].priors
    assert np.isfinite(look).any()
    features = asked[-1].features
    assert features is not None and features.shape[2] == 1, "the probe is no feature beside"


@pytest.mark.parametrize("policy", ["random", "full_grid_2", "sellect"])
def test_a_study_takes_no_baseline_for_its_policy(folder: Path, policy: str) -> None:
    with pytest.raises(StudyError, match=r"policy\.name"):
        parsed(folder, intermediates=ROWS, targets=COLUMNS, policy={"name": policy})


@pytest.mark.parametrize("prior", ["never_run", "nowhere.csv"])
def test_a_prior_that_is_not_there_is_refused(folder: Path, store: Store, tmp_path: Path, prior: str) -> None:
    with pytest.raises(StudyError, match=r"policy\.priors"):
        make_filling(parsed(folder, policy={**SELECT, "priors": [prior]}), store)


def test_weights_stay_while_the_policy_may_ask_for_more(folder: Path, store: Store, tmp_path: Path) -> None:
    driver = Driver(folder, store, tmp_path)
    driver.run(at_most=5)
    assert {one.intermediate_stage for one in driver.conductor.whole.replicates} - {None} == set(
        driver.conductor.weights_wanted
    )
    driver.run()
    assert driver.conductor.weights_wanted == frozenset()


def test_wall_time_counts_spells_of_work_once() -> None:
    assert joined([(0.0, 10.0), (5.0, 20.0), (22.0, 30.0), (60.0, 70.0)]) == ((0.0, 30.0), (60.0, 70.0))


def test_a_budget_says_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        StudyBudget()
