"""What is not as stilts wrote it is found, each fault by its path and once, and looking changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stilts.ledger.faults import FaultKind, find_faults
from stilts.ledger.study_record import read_study
from stilts.store import Store
from stilts.store.seal import seal
from tests.analysis.answered_study import NAME
from tests.ledger.spoiled import SPOILS, anew, change, copy_of, everything, finished, output


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A finished study."""
    return finished(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def store(whole: Store, tmp_path: Path) -> Store:
    """A copy of it."""
    return copy_of(whole, tmp_path)


def test_in_a_finished_store_nothing_is_wrong(store: Store) -> None:
    assert find_faults(store, read_study(store, NAME)) == find_faults(store, None) == []


@pytest.mark.parametrize("name", SPOILS)
def test_each_fault_is_found_and_nothing_is_changed(name: str, store: Store) -> None:
    place = Path(store.url)
    path = SPOILS[name](place)
    before, spoiled = everything(place), anew(store)
    study = read_study(spoiled, NAME) if name != "torn study" else None
    faults = find_faults(spoiled, study)
    # What lies in a folder's place is set aside with whatever belongs into that folder.
    assert any(found == path or found.startswith(f"{path}/") for fault in faults for found in fault.paths), faults
    assert all(fault.found for fault in faults)
    assert len({(fault.paths, fault.key) for fault in faults}) == len(faults)
    assert everything(place) == before


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("torn result", FaultKind.DAMAGED), ("forged result", FaultKind.DISAGREES), ("lost result", FaultKind.GONE)),
        *(("half-written attempt", FaultKind.HALF_WRITTEN), ("forged summary", FaultKind.DISAGREES)),
    ],
)
def test_a_fault_says_of_what_kind_it_is(name: str, kind: FaultKind, store: Store) -> None:
    path = SPOILS[name](Path(store.url))
    found = {fault.paths[0]: fault.kind for fault in find_faults(anew(store), read_study(store, NAME))}
    assert found[path] is kind


def test_a_record_of_a_newer_version_is_no_fault(store: Store) -> None:
    name = f"records/studies/{NAME}/record.json"
    change(Path(store.url), name, invented=1)
    assert find_faults(anew(store), None) == []


def test_what_nobody_holds_of_a_stage_at_work_is_left(store: Store) -> None:
    SPOILS["half-written attempt"](Path(store.url))
    with store.lease(output(Path(store.url)).partition("/")[0]):
        assert find_faults(anew(store), read_study(store, NAME)) == []


def test_a_damaged_checkpoint_is_found(store: Store, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state").write_text("state")
    with store.lease("train-mnli-0123456789ab") as lease:
        store.save_progress("train-mnli-0123456789ab", tmp_path / "state", lease)
    manifest = Path(store.url) / "progress" / "train-mnli-0123456789ab" / "00000001.json"
    manifest.write_bytes(manifest.read_bytes()[:-1])
    [fault] = find_faults(anew(store), read_study(store, NAME))
    assert fault.paths == ("progress/train-mnli-0123456789ab/00000001.json",)


def test_results_of_the_wrong_shape_are_damaged(store: Store) -> None:
    place = Path(store.url)
    name = f"stages/{output(place)}/done.json"
    value = json.loads((place / name).read_bytes())
    for wrong in ("43", [43], 10**400, float("nan"), True, {"": 1}):
        fields = {key: inner for key, inner in value.items() if key != "sha256"}
        fields["result"] = {**value["result"], "score": wrong}
        (place / name).write_bytes(seal(name, fields))
        faults = find_faults(anew(store), read_study(store, NAME))
        assert [fault.kind for fault in faults if fault.key] == [FaultKind.DAMAGED], wrong


def test_a_score_that_was_taken_away_disagrees_with_its_examples(store: Store) -> None:
    place = Path(store.url)
    name = f"stages/{output(place)}/done.json"
    value = json.loads((place / name).read_bytes())
    fields = {key: inner for key, inner in value.items() if key != "sha256"}
    fields["result"] = {**value["result"], "score": None}
    (place / name).write_bytes(seal(name, fields))
    [fault] = [one for one in find_faults(anew(store), read_study(store, NAME)) if one.key]
    assert fault.kind is FaultKind.DISAGREES and "its result says nothing" in fault.found
