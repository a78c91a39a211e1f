"""A study's record is believed only where its parts belong together; one that is not is that study's matter alone."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import DamagedError, NewerError, StoreError
from stilts.ledger.gc import apply_gc, plan_gc
from stilts.ledger.study_record import all_studies, check_study, load_study, read_study, write_study
from stilts.store import Store, make_store
from stilts.store.seal import seal
from stilts.study.record import Row
from tests.ledger.test_gc import INTERMEDIATE, OTHER, TARGET, record

CHANGES: dict[str, dict[str, Any]] = {
    "circle": {"parent": {INTERMEDIATE: TARGET}},
    "its own parent": {"parent": {INTERMEDIATE: INTERMEDIATE}},
    "a parent that is not there": {"parent": {TARGET: OTHER}},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(str(tmp_path / "store"))


def put(store: Store, study: str, **changes: Any) -> None:
    """Writes a study's record with changed fields, under a seal that agrees."""
    write_study(store, record(study))
    path = f"records/studies/{study}/record.json"
    fields = store.documents.value(path) or {}
    store.backend.replace(path, seal(path, {**fields, **changes}))


def stages(store: Store, name: str) -> Any:
    """The stages as the record has them."""
    write_study(store, record(name))
    return (store.documents.value(f"records/studies/{name}/record.json") or {})["stages"]


def test_a_record_comes_back(store: Store) -> None:
    write_study(store, record("mini"))
    assert read_study(store, "mini") == record("mini") and read_study(store, "other") is None


@pytest.mark.parametrize("name", CHANGES)
def test_parents_that_lead_nowhere_are_damage_and_end(name: str, store: Store) -> None:
    changed = stages(store, "mini")
    for stage, parent in CHANGES[name]["parent"].items():
        changed[stage]["parent"] = parent
    put(store, "mini", stages=changed)
    start = time.monotonic()
    with pytest.raises(DamagedError, match=r"of study mini.*stilts mend mini"):
        read_study(store, "mini")
    plan_gc(store)
    assert time.monotonic() - start < 5.0


@pytest.mark.parametrize(
    "changes",
    [
        *({"stages": []}, {"stages": {}}, {"stages": None}, {"rows": []}, {"columns": "x"}, {"replicates": [1]}),
        *({"name": "other"}, {"name": "../../x"}, {"rows": [{"name": "none"}, {"name": "none"}]}, {"encoder": 1}),
        *({"stages": {"../../victim": {"kind": "train", "name": "a", "parent": None, "outputs": ["x"]}}},),
        *({"rows": [{"name": "mnli"}]}, {"toy": "yes"}, {"overlaps": [[1, 2]]}, {"training_data": []}),
    ],
)
def test_a_record_whose_parts_do_not_belong_together_is_damaged(changes: dict[str, Any], store: Store) -> None:
    put(store, "mini", **changes)
    with pytest.raises(DamagedError, match=r"records/studies/mini/record.json"):
        read_study(store, "mini")


@pytest.mark.parametrize("outputs", [[], ["../../victim"], ["/etc"], ["attempt-" + "0" * 16], ["a/b/c"], [""]])
def test_outputs_that_are_no_keys_are_damaged(outputs: list[str], store: Store) -> None:
    changed = stages(store, "mini")
    changed[TARGET]["outputs"] = outputs
    put(store, "mini", stages=changed)
    with pytest.raises(DamagedError, match="no name that stilts gives"):
        read_study(store, "mini")


def test_a_replicate_of_no_cell_or_stage_is_damaged() -> None:
    good = record("mini")
    [one] = good.replicates
    for wrong in (
        *(replace(one, row="other"), replace(one, column="other"), replace(one, evaluate_stage="evaluate-other-1")),
        *(replace(one, target_stage=OTHER), replace(one, outputs={"report": {"de": "../../victim"}})),
    ):
        with pytest.raises(DamagedError):
            check_study(replace(good, replicates=(wrong,)), "mini")
    with pytest.raises(DamagedError, match="not distinct"):
        check_study(replace(good, rows=(*good.rows, Row(name="mnli"))), "mini")


def test_a_study_of_a_newer_version_is_no_matter_of_the_others(store: Store) -> None:
    write_study(store, record("old"))
    put(store, "new", invented=1)
    put(store, "torn", rows=5)
    shelf = all_studies(store)
    assert set(shelf.values) == {"old"} and load_study(store, "old") == record("old")
    assert isinstance(shelf.faults["new"], NewerError) and isinstance(shelf.faults["torn"], DamagedError)
    with pytest.raises(NewerError, match=r"study new: newer than this stilts.*Upgrade stilts"):
        load_study(store, "new")
    plan = plan_gc(store)
    assert set(plan.faults) == {"new", "torn"}
    apply_gc(store, plan)
    assert read_study(store, "old") == record("old")


def test_a_study_that_was_never_run_is_named_beside_those_that_were(store: Store) -> None:
    write_study(store, record("mini"))
    with pytest.raises(StoreError, match=r"never run there.*mini.*stilts run mnii --store"):
        load_study(store, "mnii")
