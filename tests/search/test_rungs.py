"""Judged evaluations are kept in the store: a later run compares with them, and repeats its verdicts word for word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stilts.ledger.decision import Decision, Judged
from stilts.ledger.decisions import keep
from stilts.metrics.item_scores import ItemScores
from stilts.search.deciding import Known
from stilts.search.pruning import NoPruning, PruningRule, SuccessiveHalving
from stilts.search.pruning_rules import pruning_rule
from stilts.search.rungs import Reached, RungBook
from stilts.search.wilcoxon_pruning import WilcoxonRule
from stilts.store import Store, make_store
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.schema import Pruning
from stilts.study.search_space import Proposal
from stilts.training.reporter import Evaluation
from tests.study.toy_study import resolved, write_encoder_folder

SEARCH = {"learning_rate": {"low": 1e-6, "high": 1e-2, "log": True}, "proposals": 4}
PROPOSALS = [Proposal(number=number, params={"learning_rate": 1e-4 * (number + 1)}) for number in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return planned(folder)


def planned(folder: Path, **changes: Any) -> Plan:
    return make_plan(resolved(folder, intermediates={"mnli": {"search": SEARCH}}, **changes), {"mnli": PROPOSALS})


def decided(
    store: Store, rule: PruningRule, plan: Plan, stage_id: str, step: int, steps: int, evaluation: Evaluation
) -> list[Decision]:
    """What a new run decides, as it is kept."""
    reached = Reached(stage_id=stage_id, step=step, steps=steps, evaluation=evaluation)
    found = RungBook(study="small", store=store, rule=rule).decide(Known(plan=plan, whole=plan, done=set()), reached)
    return [keep(store, "small", one) for one in found]


def judged(*asked: Any) -> Judged:
    first, *_ = decided(*asked)
    assert isinstance(first, Judged)
    return first


def tuning(plan: Plan, number: int) -> str:
    return next(str(r.target_stage) for r in plan.replicates if r.proposal == number and r.target_stage)


def udpos(score: float, items: int = 100) -> Evaluation:
    right = (100.0 * (np.arange(items) < score * items / 100)).astype(np.float32)
    return Evaluation(scores={"udpos": score}, items={"udpos": {"en": ItemScores(items="a", scores=right)}})


@pytest.mark.parametrize("policy", [SuccessiveHalving(), WilcoxonRule()])
def test_a_new_run_compares_with_what_earlier_runs_saw(plan: Plan, store: Store, policy: PruningRule) -> None:
    for number, score in enumerate((80.0, 85.0)):
        assert not judged(store, policy, plan, tuning(plan, number), 5, 10, udpos(score)).stop
    late = tuning(plan, 2)
    verdict = judged(store, policy, plan, late, 5, 10, udpos(30.0))
    assert verdict.stop and verdict.peers == {"0": 80.0, "1": 85.0}
    pruned = store.read_record(f"studies/small/pruned/{late}")
    assert isinstance(pruned, dict) and pruned["policy"] == policy.label and pruned["peers"] == verdict.peers
    assert (pruned["reason"], pruned["score"], pruned["step"], pruned["steps"]) == (verdict.reason, 30.0, 5, 10)
    names = store.records("studies/small/rungs/mnli/udpos")
    assert names == [f"studies/small/rungs/mnli/udpos/{number:04d}/00000005" for number in range(3)]


def test_the_same_evaluation_gets_the_same_verdict_whoever_came_since(plan: Plan, store: Store) -> None:
    policy = SuccessiveHalving(min_recipes=2)
    first = judged(store, policy, plan, tuning(plan, 0), 5, 10, udpos(50.0))
    for number in (1, 2):
        judged(store, policy, plan, tuning(plan, number), 5, 10, udpos(90.0))
    name = "studies/small/rungs/mnli/udpos/0000/00000005"
    before = store.read_record(name)
    assert judged(store, policy, plan, tuning(plan, 0), 5, 10, udpos(50.0)) == first and not first.stop
    assert store.read_record(name) == before, "it is not written again"
    assert judged(store, policy, plan, tuning(plan, 0), 5, 10, udpos(51.0)).stop, "another score is another matter"
    stricter = SuccessiveHalving(min_recipes=3)
    assert judged(store, stricter, plan, tuning(plan, 0), 5, 10, udpos(51.0)).reason != first.reason


def test_a_stop_that_was_not_written_down_is_repeated(plan: Plan, store: Store) -> None:
    policy = SuccessiveHalving(min_recipes=2)
    for number, score in enumerate((80.0, 20.0)):
        verdict = judged(store, policy, plan, tuning(plan, number), 5, 10, udpos(score))
    store.delete_record(f"studies/small/pruned/{tuning(plan, 1)}")  # as if it had been killed just before
    assert judged(store, policy, plan, tuning(plan, 1), 5, 10, udpos(20.0)) == verdict and verdict.stop
    assert store.read_record(f"studies/small/pruned/{tuning(plan, 1)}") is not None


def test_what_the_study_no_longer_asks_for_is_no_peer(folder: Path, plan: Plan, store: Store) -> None:
    policy = SuccessiveHalving(min_recipes=2)
    judged(store, policy, plan, tuning(plan, 0), 5, 10, udpos(90.0))
    longer = planned(
        folder, defaults={"intermediate": {"steps": 20}, "target": {"steps": 20}, "encoding": {"max_length": 96}}
    )
    assert not judged(store, policy, longer, tuning(longer, 1), 10, 20, udpos(1.0)).stop
    assert judged(store, policy, plan, tuning(plan, 1), 5, 10, udpos(1.0)).stop


def test_where_nothing_is_pruned_nothing_is_written(plan: Plan, store: Store) -> None:
    assert decided(store, NoPruning(), plan, tuning(plan, 0), 5, 10, udpos(1.0)) == []
    assert store.records("studies") == []


def test_every_policy_of_the_study_file_can_be_had() -> None:
    assert pruning_rule(Pruning()).label == "none"
    names = ["successive_halving", "median", "wilcoxon"]
    labels = [pruning_rule(Pruning(policy=name, min_recipes=7)).label for name in names]  # type: ignore[arg-type]
    assert [label.split("(")[0] for label in labels] == names and all("=7" in label for label in labels)
    assert pruning_rule(Pruning(policy="wilcoxon", alpha=0.2, min_items=9)).label == (
        "wilcoxon(alpha=0.2, min_items=9, at_fracs=0.25, 0.5, min_recipes=2)"
    )
