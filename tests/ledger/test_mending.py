"""mend sets aside what is damaged, destroys nothing, touches nothing else, and leaves nothing that is wrong."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from stilts.analysis.results import StudyResults
from stilts.errors import DamagedError, StoreError
from stilts.ledger.faults import find_faults
from stilts.ledger.mending import mend, repair_opening
from stilts.ledger.study_record import load_study, read_study
from stilts.store import Store, open_store
from stilts.store.layout import DAMAGED
from stilts.store.seal import unseal
from tests.analysis.answered_study import NAME
from tests.contracts.store_contract import fill, publish
from tests.ledger.spoiled import SPOILS, anew, contents, copy_of, everything, finished, output


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A finished study."""
    return finished(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def store(whole: Store, tmp_path: Path) -> Store:
    """A copy of it."""
    return copy_of(whole, tmp_path)


def matrix(store: Store) -> str:
    """The matrix as it is shown."""
    results = StudyResults(record=load_study(store, NAME), store=store)
    return str(results.cells.to_json(orient="records"))


@pytest.mark.parametrize("name", SPOILS)
def test_what_is_damaged_is_set_aside_as_it_lay_and_nothing_is_wrong_then(name: str, store: Store) -> None:
    place = Path(store.url)
    path = SPOILS[name](place)
    before = everything(place)
    mended = mend(anew(store), NAME)
    after = everything(place)
    assert mended.folder.startswith(f"{DAMAGED}/") and mended.left == ()
    assert os.path.lexists(place / mended.folder / path)
    moved = {inner.removeprefix(f"{mended.folder}/"): held for inner, held in after.items() if DAMAGED in inner}
    assert all(before[inner] == held for inner, held in moved.items()), "as it lay"
    lost = {inner: held for inner, held in before.items() if inner not in after and inner not in moved}
    assert all(inner.startswith("leases/") for inner in lost), "nothing is destroyed"
    fresh = anew(store)
    assert find_faults(fresh, read_study(fresh, NAME)) == []
    again = mend(fresh, NAME)
    assert again.faults == () and again.folder == ""


@pytest.mark.parametrize("name", SPOILS)
def test_a_dry_run_lists_the_same_and_changes_nothing(name: str, store: Store) -> None:
    place = Path(store.url)
    SPOILS[name](place)
    before = everything(place)
    listed = mend(anew(store), NAME, dry_run=True)
    assert everything(place) == before and listed.folder == ""
    assert {fault.paths for fault in listed.faults} == {fault.paths for fault in mend(anew(store), NAME).faults}


def test_a_forged_score_is_no_number_after_mending(store: Store, whole: Store) -> None:
    SPOILS["forged summary"](Path(store.url))
    truth = matrix(whole)
    assert matrix(anew(store)) != truth, "a seal is no signature"
    mend(anew(store), NAME)
    assert matrix(anew(store)) == truth


def test_the_files_of_a_training_are_dropped_and_its_result_stays(store: Store, tmp_path: Path) -> None:
    stage = next(name for name, facts in load_study(store, NAME).stages.items() if facts["kind"] == "train")
    publish(store, stage, fill(tmp_path / "weights", weights="0123456789"))
    weights = store.fetch(stage) / "weights"
    weights.unlink()
    weights.write_text("012345678x")
    mended = mend(anew(store), NAME)
    fresh = anew(store)
    assert fresh.gone(stage) and fresh.result(stage)["seconds"] == 2.0
    [moved] = (Path(store.url) / mended.folder).rglob("weights")
    assert moved.read_text() == "012345678x"


def test_what_a_live_process_holds_is_left(store: Store) -> None:
    place = Path(store.url)
    path = SPOILS["torn result"](place)
    with store.lease(output(place).partition("/")[0]):
        mended = mend(anew(store), NAME)
    assert [fault.paths[0] for fault in mended.left] == [path] and (place / path).exists()


def test_summaries_are_made_again_from_what_they_sum_up(store: Store) -> None:
    place = Path(store.url) / "records" / "summaries"
    before = everything(place)
    for path in place.iterdir():
        path.write_text("{}")
    assert mend(anew(store), NAME).summaries == 2
    assert everything(place) == before


def test_strays_are_told_and_left(store: Store) -> None:
    stray = Path(store.url) / "stages" / ".DS_Store"
    stray.write_text("finder")
    assert mend(store, NAME).strays == ("stages/.DS_Store",) and stray.read_text() == "finder"


# --- what keeps a store from being opened ---


@pytest.mark.parametrize("how", ["gone", "torn", "no version", "link"])
def test_a_layout_is_written_again_where_the_place_is_certainly_a_store(how: str, store: Store, tmp_path: Path) -> None:
    layout, truth = Path(store.url) / "LAYOUT", matrix(store)
    (Path(store.url) / "optuna.db").write_bytes(b"")  # a search leaves it there
    layout.unlink()
    if how == "link":
        layout.symlink_to(tmp_path / "elsewhere")
    elif how != "gone":
        layout.write_text("{" if how == "torn" else '{"version":"x","id":"x"}')
    with pytest.raises(StoreError, match="stilts mend"):
        open_store(store.url)
    before = everything(Path(store.url))
    assert len(repair_opening(store.url, dry_run=True)) == 1 and everything(Path(store.url)) == before
    assert [fault.paths for fault in repair_opening(store.url)] == [("LAYOUT",)]
    assert matrix(open_store(store.url)) == truth and repair_opening(store.url) == []
    kept = contents(Path(store.url))
    assert all(repr(held) in kept for held in before.values())


def test_a_place_that_nothing_shows_to_be_a_store_gets_no_layout(tmp_path: Path) -> None:
    home = fill(tmp_path / "home", files__will="will", tmp__draft="draft", records__letter="dear", stages__a="a")
    (home / "records" / "letter").rename(home / "records" / "letter.json")
    before = everything(home)
    with pytest.raises(StoreError, match="it has no LAYOUT"):
        repair_opening(str(home))
    assert everything(home) == before


@pytest.mark.parametrize("folder", ["tmp", "leases", "progress", "cache", "spool"])
def test_a_link_in_a_folders_place_is_set_aside_and_its_target_stays(folder: str, store: Store, tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine", thesis="three years")
    place = Path(store.url) / folder
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(mine)
    [fault] = repair_opening(store.url)
    assert fault.paths == (folder,) and not os.path.lexists(place)
    [moved] = (Path(store.url) / DAMAGED).rglob(folder)
    assert moved.is_symlink() and everything(mine) == {"thesis": b"three years"}
    assert mend(open_store(store.url), NAME).faults == ()


def test_a_link_where_damaged_things_are_kept_is_not_followed(store: Store, tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine", thesis="three years")
    (Path(store.url) / DAMAGED).symlink_to(mine)
    with pytest.raises(DamagedError, match="move it away yourself"):
        repair_opening(store.url)
    assert everything(mine) == {"thesis": b"three years"}


# --- stores from before there were checksums ---


def unsealed(store: Store) -> Store:
    """The store as layout 1 had it."""
    place = Path(store.url)
    for path in [*(place / "stages").rglob("*.json"), *(place / "records").rglob("*.json")]:
        path.write_bytes(unseal(str(path.relative_to(place)), path.read_bytes(), required=True))
    layout = json.loads((place / "LAYOUT").read_bytes())
    (place / "LAYOUT").write_text(json.dumps({"version": 1, "id": layout["id"]}))
    return open_store(store.url)


def test_a_store_without_checksums_answers_the_same_and_gets_them(store: Store) -> None:
    truth = matrix(store)
    old = unsealed(store)
    before = everything(Path(store.url))
    assert matrix(old) == truth and everything(Path(store.url)) == before
    dry = mend(old, NAME, dry_run=True)
    assert dry.faults == () and not dry.sealed and everything(Path(store.url)) == before
    mended = mend(old, NAME)
    assert mended.sealed and mended.faults == ()
    fresh = open_store(store.url)
    assert fresh.documents.required and matrix(fresh) == truth
    assert not mend(fresh, NAME).sealed


@pytest.mark.parametrize("name", ["torn result", "flipped examples", "torn study"])
def test_what_is_damaged_in_a_store_without_checksums_is_found_too(name: str, store: Store) -> None:
    old = unsealed(store)
    path = SPOILS[name](Path(store.url))
    mended = mend(old, NAME)
    assert path in {found for fault in mended.faults for found in fault.paths}
    assert mend(open_store(store.url), NAME).faults == ()
