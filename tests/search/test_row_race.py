"""A raced row over real plans and a real store: who is granted seeds, in which order, and after a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stilts.ledger.decision import Grant, RowEnd
from stilts.ledger.results import EvaluateResult
from stilts.ledger.summary import SUMMARIES, Summary, summarise
from stilts.search.conductor import Conductor
from stilts.search.deciding import Situation
from stilts.search.racing import NoRacing, RacingPolicy, WilcoxonRacing
from stilts.search.row_race import RowRace, row_race
from stilts.search.work_source import NoStage
from stilts.store import Store, make_store
from stilts.study.search_schema import Search
from stilts.study.search_space import Proposal
from stilts.study.stage import EvaluateStage, Stage
from tests.search.test_conductor import SEARCH, conductor, publish
from tests.study.toy_study import write_encoder_folder

SEARCHED = {"mnli": {"search": SEARCH}}
UDPOS = {"udpos": {"languages": ["en"]}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def raced(folder: Path, store: Store, policy: RacingPolicy, most: int = 3) -> Conductor:
    made = conductor(folder, store, intermediates=SEARCHED, targets=UDPOS)
    race = RowRace(row="mnli", most=most, total=3, columns=("udpos",), policy=policy, store=store)
    return Conductor(resolved=made.resolved, store=store, searches=made.searches, races={"mnli": race})


def finish(
    subject: Conductor, store: Store, folder: Path, right: Callable[[int], float], at_most: int = 1000
) -> list[tuple[int, int]]:
    """Runs stages, at most so many; the (proposal, seed) of each model that was scored, in order."""
    scored: list[tuple[int, int]] = []
    for _ in range(at_most):
        stage = subject.next_stage()
        if isinstance(stage, NoStage):
            break
        publish(stage, store, folder)
        found = next((r for r in subject.plan.replicates if r.evaluate_stage == stage.stage_id), None)
        if isinstance(stage, EvaluateStage) and found is not None and found.proposal is not None:
            summary(stage, store, right(found.proposal), seed=found.target_seed or 0)
            scored.append((found.proposal, found.target_seed or 0))
        done: dict[str, Any] = {"state": "done", "stage_id": stage.stage_id, "executed": True, "seconds": 1.0}
        subject.finished(stage.stage_id, done)
    return scored


def summary(stage: Stage, store: Store, right: float, seed: int) -> None:
    """What an evaluate stage leaves of its examples: so many right, whichever chance takes."""
    draw = np.random.default_rng((round(right * 1000), seed))
    correct = (draw.permutation(300) < 300 * right).astype(np.float64)
    items = [str(number) for number in range(300)]
    rows = {"correct": correct, "total": np.ones(300)}
    result = EvaluateResult(score=0.0, num_items=300)
    outputs = {key: summarise(result, items, rows) for key in stage.outputs}
    SUMMARIES.write(store, Summary(outputs=outputs), stage.stage_id)


def test_seeds_are_granted_before_a_further_recipe_is_drawn_and_not_to_losers(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    # Made-up results score all models alike, so the first leads; its examples are right.
    subject = raced(folder, store, WilcoxonRacing())
    order = finish(subject, store, tmp_path, lambda proposal: 0.8 if proposal == leading(store) else 0.3)
    assert set(order) >= {(0, 0), (1, 0), (2, 0)} and len(set(order)) == len(order)
    granted = seeds_of(store)
    assert max(granted.values()) == 3 and sum(granted.values()) < 9
    assert order.index((2, 0)) > order.index((0, 0)) + 2, "the two that there were had raced before the third was drawn"
    assert sorted(order) == sorted((number, seed) for number, count in granted.items() for seed in range(count))
    reasons = [value["reason"] for value in records(store) if value["seeds"] == 1]
    assert reasons and all("shown to be worse" in reason for reason in reasons)


@pytest.mark.parametrize("after", [4, 7, 9, 11])
def test_a_killed_race_goes_on_where_it_was(after: int, folder: Path, store: Store, tmp_path: Path) -> None:
    whole_store = make_store(str(tmp_path / "whole"))
    whole = finish(raced(folder, whole_store, WilcoxonRacing()), whole_store, tmp_path, lambda number: 0.5)
    first = finish(raced(folder, store, WilcoxonRacing()), store, tmp_path, lambda number: 0.5, at_most=after)
    second = finish(raced(folder, store, WilcoxonRacing()), store, tmp_path, lambda number: 0.5)
    assert first + second == whole
    assert [{**one, "time": 0} for one in records(store)] == [{**one, "time": 0} for one in records(whole_store)]


def test_no_seed_is_granted_where_the_row_may_spend_no_more(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = conductor(folder, store, intermediates=SEARCHED, targets=UDPOS)
    finish(subject, store, tmp_path, lambda number: 0.5)
    free = Situation(expected=lambda stage: 1.0, left_s=100.0, spent_s=10.0, budget="20 trials")

    def race() -> RowRace:
        return RowRace(row="mnli", most=3, total=3, columns=("udpos",), policy=WilcoxonRacing(), store=store)

    granted = race().decide(subject.stages.known, free)
    assert any(isinstance(one, Grant) and one.seeds == 2 for one in granted)
    bound = race()
    (end,) = bound.decide(subject.stages.known, replace(free, ends="The rest is for confirming."))
    assert isinstance(end, RowEnd) and end.reason == "The rest is for confirming." and not bound.took(end)
    assert bound.decide(subject.stages.known, free) == []
    later = race()
    later.took(end)
    assert later.decide(subject.stages.known, replace(free, budget="30 trials")) == granted


def test_without_a_race_every_proposal_has_all_its_seeds(folder: Path, store: Store, tmp_path: Path) -> None:
    order = finish(raced(folder, store, NoRacing(), most=2), store, tmp_path, lambda number: 0.5)
    assert sorted(order) == [(number, seed) for number in range(3) for seed in range(2)]
    assert records(store) == []


def test_one_seed_is_no_race_and_the_study_file_says_which(store: Store) -> None:
    one = Search.model_validate({**SEARCH, "racing": {"policy": "wilcoxon", "alpha": 0.1}})
    race = row_race(row="mnli", search=one, columns=["udpos"], store=store)
    assert race.policy == WilcoxonRacing(alpha=0.1) and race.most == 1 and race.total == 3
    drawn = [Proposal(number=0, params={})]
    assert race.seeded(drawn) == drawn
    three = row_race(row="mnli", search=Search.model_validate({**SEARCH, "seeds": 3}), columns=["udpos"], store=store)
    assert isinstance(three.policy, NoRacing) and three.seeded(drawn)[0].seeds == 3


def records(store: Store) -> list[dict[str, Any]]:
    values = [store.read_record(name) for name in store.records("studies/small/races/mnli")]
    return [value for value in values if isinstance(value, dict)]


def seeds_of(store: Store) -> dict[int, int]:
    return {int(value["proposal"]): int(value["seeds"]) for value in records(store)}


def leading(store: Store) -> int:
    leaders = [int(value["proposal"]) for value in records(store) if "the highest of" in value["reason"]]
    return leaders[0] if leaders else 0
