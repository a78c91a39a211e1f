"""Confirmation: what a search found is trained again with fresh seeds, and the choice is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stilts.app.searching import drawn_proposals, row_confirmations
from stilts.ledger.decision import Decision, RowEnd
from stilts.ledger.decisions import decisions
from stilts.ledger.records import CONFIRMATIONS
from stilts.search.conductor import Conductor
from stilts.store import Store, make_store
from stilts.study.planning import make_plan
from stilts.study.policy_schema import StudyPolicy
from stilts.study.record import Replicate
from tests.search.test_row_search import conductor, drive, workspace
from tests.study.toy_study import write_encoder_folder

TWO_SEEDS = {"default": {"count": 2}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_encoder_folder(folder / "tiny")
    return folder


def by_seed(rate: str, language: str) -> float:
    """The higher a recipe's rate the better under the search's seed; under fresh ones all recipes are equal."""
    value, _, seed = rate.partition("/")
    return 50.0 if rate == "none" or int(seed) >= 1000 else 50.0 + 100 * float(value)


def confirming(folder: Path, store: Store, search: dict[str, Any], **changes: Any) -> Conductor:
    subject = workspace(folder, search, **{"replicates": TWO_SEEDS, **changes})
    made = conductor(subject, store)
    return Conductor(
        resolved=made.resolved,
        store=store,
        searches=made.searches,
        confirmations=row_confirmations(subject.resolved, store),
        on_plan=made.on_plan,
    )


def fresh(subject: Conductor, row: str = "mnli") -> list[Replicate]:
    return [one for one in subject.plan.replicates if one.row == row and one.confirms]


def test_the_chosen_recipe_is_trained_again_with_as_many_fresh_seeds_as_a_fixed_row_has(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    subject = confirming(folder, store, {"objective": "xtreme_average"})
    drive(subject, store, tmp_path, score=by_seed)
    best = max(subject.searches["mnli"].proposals, key=lambda one: one.params["learning_rate"])  # type: ignore[arg-type,return-value]
    found = fresh(subject)
    assert {one.proposal for one in found} == {best.number}
    assert sorted((one.column, one.intermediate_seed, one.target_seed) for one in found) == [
        (name, seed, seed) for name in ("panx", "udpos") for seed in (1000, 1001)
    ]
    assert all(subject.plan.is_done(one.evaluate_stage, set(store.done())) for one in found)
    assert subject.plan.record.rows[1].confirmed == {"xtreme_average": best.number}


def test_per_target_each_column_confirms_its_own(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = confirming(folder, store, {"objective": "per_target"})
    drive(subject, store, tmp_path, score=by_seed)
    assert {(one.column, one.proposal) for one in fresh(subject)} == set(subject.plan.record.rows[1].confirmed.items())


def test_nothing_is_confirmed_before_the_search_is_over(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = confirming(folder, store, {"objective": "xtreme_average"})
    while not fresh(subject):
        assert CONFIRMATIONS.known(store, "small", "mnli") is None
        assert drive(subject, store, tmp_path, score=by_seed, at_most=1)
    assert len(subject.searches["mnli"].proposals) == 3


def test_a_resume_goes_on_with_the_same_choice_and_a_finished_study_has_nothing_to_do(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    subject = confirming(folder, store, {"objective": "xtreme_average"})
    while not fresh(subject):
        drive(subject, store, tmp_path, score=by_seed, at_most=1)
    again = confirming(folder, store, {"objective": "xtreme_average"})
    assert fresh(again) == fresh(subject)
    planned = make_plan(again.resolved, drawn_proposals(again.resolved, store))
    assert planned.replicates == again.plan.replicates
    drive(again, store, tmp_path, score=by_seed)
    assert not confirming(folder, store, {"objective": "xtreme_average"}).has_work()


def test_fresh_seeds_bear_on_no_choice(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = confirming(folder, store, {"objective": "xtreme_average"})
    drive(subject, store, tmp_path, score=by_seed)
    chosen = CONFIRMATIONS.known(store, "small", "mnli")
    assert chosen is not None
    # Its fresh seeds are worse than the other proposals' lucky ones, and it stays.
    assert not subject.confirmations["mnli"].decide(subject.stages.known, subject.gate.situation(1))
    told = subject.searches["mnli"].book
    assert told is not None and dict(subject.confirmations["mnli"].chosen) == dict(chosen.chosen)


def test_further_proposals_may_change_the_choice_and_the_other_is_confirmed(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    first = confirming(folder, store, {"objective": "xtreme_average", "proposals": 1})
    drive(first, store, tmp_path, score=by_seed)
    (before,) = {one.proposal for one in fresh(first)}
    rates = {}

    def later_are_better(rate: str, language: str) -> float:
        rates.setdefault(rate.partition("/")[0], len(rates))
        return 50.0 + rates[rate.partition("/")[0]]

    second = confirming(folder, store, {"objective": "xtreme_average", "proposals": 4})
    assert {one.proposal for one in fresh(second)} == {before}
    drive(second, store, tmp_path, score=later_are_better)
    (after,) = {one.proposal for one in fresh(second)}
    assert after != before


def test_the_decision_says_what_was_chosen_and_why(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = confirming(folder, store, {"objective": ["xtreme_average", "worst_language"]})
    drive(subject, store, tmp_path, score=by_seed)
    (found,) = (one for one in decisions(store, "small") if one.kind == "confirmation")
    assert found.about == "mnli" and "for xtreme_average, worst_language" in found.decided
    assert "best selection score by xtreme_average of 3 proposals" in found.reason


def test_a_row_may_want_no_confirmation(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = confirming(folder, store, {"objective": "xtreme_average", "confirm": False})
    drive(subject, store, tmp_path, score=by_seed)
    assert fresh(subject) == [] and CONFIRMATIONS.known(store, "small", "mnli") is None


def test_a_searched_none_is_confirmed_too_and_what_has_no_seed_confirms_itself(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    rows = {
        "none": {"search": {"target_learning_rate": {"low": 1e-6, "high": 1e-2}, "proposals": 2, "sampler": "random"}}
    }
    targets = {"udpos": {"languages": ["en", "qaa"]}, "tatoeba": {"languages": ["qaa"]}}
    subject = confirming(folder, store, {}, intermediates=rows, targets=targets)
    drive(subject, store, tmp_path)
    found = {(one.column, one.target_seed) for one in fresh(subject, "none")}
    assert found == {("udpos", 1000), ("udpos", 1001), ("tatoeba", None)}
    ids = [one.replicate_id for one in subject.plan.replicates]
    assert len(ids) == len(set(ids))


# --- under a budget ---

# One column, one seed: ``none`` takes two stages, a recipe three, and a confirmation by two fresh seeds six.
ONE = {"udpos": {"languages": ["en"]}}
BUDGETED: dict[str, Any] = {"objective": "udpos", "proposals": 9}


def budgeted(folder: Path, store: Store, budget: dict[str, float], search: dict[str, Any] = BUDGETED) -> Conductor:
    made = confirming(folder, store, search, targets=ONE)
    return Conductor(
        resolved=made.resolved,
        store=store,
        searches=made.searches,
        confirmations=made.confirmations,
        budget=StudyPolicy.model_validate({"budget": budget}).budget,
        on_plan=made.on_plan,
    )


def row_ends(store: Store) -> list[Decision]:
    return [one for one in decisions(store, "small") if isinstance(one, RowEnd)]


@pytest.mark.parametrize(("budget", "most"), [({"trials": 21}, 21), ({"stage_hours": 40 / 3600}, 40)])
def test_a_budgeted_search_ends_with_a_confirmed_row(
    budget: dict[str, float], most: int, folder: Path, store: Store, tmp_path: Path
) -> None:
    subject = budgeted(folder, store, budget)
    ran = drive(subject, store, tmp_path, score=by_seed)
    done = set(store.done())
    assert 1 < len(subject.searches["mnli"].proposals) < 9 and ran <= most
    assert len(fresh(subject)) == 2 and all(subject.plan.is_done(one.evaluate_stage, done) for one in fresh(subject))
    (end,) = row_ends(store)
    assert end.about == "mnli" and end.kind == "stop" and "confirming what is found takes" in end.reason
    assert [one.kind for one in decisions(store, "small")][-2:] == ["stop", "confirmation"]


def test_a_row_that_ended_stays_so_under_the_same_budget_and_goes_on_under_a_larger_one(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    small = budgeted(folder, store, {"trials": 21})
    drive(small, store, tmp_path, score=by_seed)
    drawn, before = len(small.searches["mnli"].proposals), decisions(store, "small")
    assert not budgeted(folder, store, {"trials": 21}).has_work() and decisions(store, "small") == before
    large = budgeted(folder, store, {"trials": 40})
    assert drive(large, store, tmp_path, score=by_seed) > 0
    assert drawn < len(large.searches["mnli"].proposals) < 9 and len(row_ends(store)) == 1
    assert all(large.plan.is_done(one.evaluate_stage, set(store.done())) for one in fresh(large))
    free = confirming(folder, store, BUDGETED, targets=ONE)
    drive(free, store, tmp_path, score=by_seed)
    assert len(free.searches["mnli"].proposals) == 9 and row_ends(store) == []


def test_a_row_that_wants_no_confirmation_spends_all_on_proposals(folder: Path, store: Store, tmp_path: Path) -> None:
    subject = budgeted(folder, store, {"trials": 21}, {**BUDGETED, "confirm": False})
    assert drive(subject, store, tmp_path, score=by_seed) == 21 and row_ends(store) == []
