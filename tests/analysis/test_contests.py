"""Contests: who the rivals of a searched mixture are, and what is said of it against each."""

from __future__ import annotations

from pathlib import Path

import pytest

from stilts.analysis.contests import Contest, contests
from stilts.analysis.results import StudyResults
from stilts.study.record import Replicate, Row
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

MIXTURE = {"mnli": 0.0, "squad": 0.0}
ROWS = (
    Row(name="none"),
    Row(name="searched", mixture=MIXTURE, searched=True, num_proposals=3, confirmed={"xnli": 1}),
    Row(name="searched-single", mixture=MIXTURE, searched=True, num_proposals=3),
    Row(name="uniform", mixture={"mnli": 0.5, "squad": 0.5}),
    Row(name="mnli", mixture={"mnli": 1.0}),
    Row(name="ccg", mixture={"ccg": 1.0}),
)
FIXED = {"none": 50.0, "uniform": 70.0, "mnli": 40.0, "ccg": 95.0}
PROPOSED = (45.0, 70.0, 60.0)


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Contest]:
    store, target = FakeStore(tmp_path), column("xnli")
    items: list[Replicate] = []
    for name, score in FIXED.items():
        for seed in range(3):
            items.append(replicate(name, target, None if name == "none" else seed, seed))
            evaluate(store, items[-1], score + seed)
    for number, score in enumerate(PROPOSED):
        items.append(replicate("searched", target, 0, 0, number))
        evaluate(store, items[-1], score + 20)
    for seed in range(3):
        items.append(replicate("searched", target, 1000 + seed, 1000 + seed, 1, confirms=True))
        evaluate(store, items[-1], PROPOSED[1] + seed)
    results = StudyResults(record=record(ROWS, [target], items), store=store, draws=200)
    return {one.rival: one for one in contests(results)}


def test_rivals_are_rows_over_the_same_tasks_and_none(found: dict[str, Contest]) -> None:
    assert set(found) == {"none", "uniform", "mnli"}
    assert {(one.row, one.proposals, one.rival_proposals) for one in found.values()} == {("searched", 3, 1)}


def test_the_chosen_proposal_is_compared_on_report(found: dict[str, Contest]) -> None:
    assert found["none"].difference.estimate == pytest.approx(71 - 51, abs=0.2)
    assert [found[name].verdict for name in ("none", "uniform", "mnli")] == ["better", "not told apart", "better"]
    assert found["mnli"].difference.low > 0 and found["uniform"].difference.low < 0 < found["uniform"].difference.high


def test_p_values_count_all_contests_of_the_row(found: dict[str, Contest]) -> None:
    smallest = min(found.values(), key=lambda one: one.difference.p_value)
    assert smallest.p_adjusted == pytest.approx(3 * smallest.difference.p_value)
    assert found["none"].to_json()["verdict"] == "better"
