"""What makes a folder a store, and that every other folder is left alone; stores from before there were checksums."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stilts.errors import DamagedError, NewerError, StoreError
from stilts.store import Store, find_store, make_store, open_store
from stilts.store.seal import seal, unseal
from stilts.store.sealing import seal_store
from tests.contracts.store_contract import KEY, fill, publish


def everything(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with photos, and with a ``tmp/`` and a ``files/`` of its own."""
    home = tmp_path / "home"
    fill(home, photos__a="jpeg", tmp__draft="draft", files__will="will")
    fill(home / "files" / "letters" / "attempt-0000000000000000", love="love")
    return home


@pytest.mark.parametrize("inside", ["", "tmp", "files", "files/letters", "photos"])
def test_a_folder_with_other_things_is_no_store_and_becomes_none(inside: str, home: Path) -> None:
    before, place = everything(home), str(home / inside)
    for opening in (open_store, make_store, find_store):
        with pytest.raises(StoreError) as caught:
            opening(place)
        held = sorted(os.listdir(place))
        assert held[0] in str(caught.value), "it names what it saw"
    assert everything(home) == before


def test_the_message_says_what_to_type(home: Path) -> None:
    with pytest.raises(StoreError, match=r"no LAYOUT; in it are .*photos.*--store"):
        open_store(str(home))
    with pytest.raises(StoreError, match=r"new or empty.*--store or STILTS_STORE"):
        make_store(str(home))
    with pytest.raises(StoreError, match="no such folder"):
        open_store(str(home / "nowhere"))


def test_a_new_or_empty_place_becomes_one_and_opening_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_text("finder")
    for name in ("new", "empty"):
        assert find_store(str(tmp_path / name)) is None
        with pytest.raises(StoreError):
            open_store(str(tmp_path / name))
        assert not (tmp_path / name / "LAYOUT").exists()
        made = make_store(str(tmp_path / name))
        before = everything(tmp_path / name)
        assert open_store(str(tmp_path / name)).done() == made.done() == frozenset()
        assert everything(tmp_path / name) == before


def test_what_a_killed_maker_leaves_is_taken_for_empty(tmp_path: Path) -> None:
    fill(tmp_path / "store" / "tmp", **{"0" * 32: '{"sha256":"0123', "1" * 32: ""})
    assert make_store(str(tmp_path / "store")).done() == frozenset()
    for name in ("draft", "0" * 32):
        fill(tmp_path / name / "tmp", **{name: "mine"})
        with pytest.raises(StoreError, match="tmp"):
            make_store(str(tmp_path / name))


@pytest.mark.parametrize("kind", ["pipe", "link", "device", "folder", "huge"])
def test_a_layout_that_is_no_file_is_told_at_once(kind: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    make_store(str(store))
    layout = store / "LAYOUT"
    layout.rename(tmp_path / "aside")
    made = {
        "pipe": lambda: os.mkfifo(layout),
        "link": lambda: layout.symlink_to(tmp_path / "aside"),
        "device": lambda: layout.symlink_to("/dev/zero"),
        "folder": layout.mkdir,
        "huge": lambda: (layout.touch(), os.truncate(layout, 2**31)),
    }
    made[kind]()
    with pytest.raises(DamagedError, match="LAYOUT"):
        open_store(str(store))


@pytest.mark.parametrize("folder", ["tmp", "files", "stages", "records", "leases", "progress", "cache", "spool"])
def test_a_store_whose_folder_is_a_link_is_refused(folder: str, home: Path, tmp_path: Path) -> None:
    make_store(str(tmp_path / "store"))
    before = everything(home)
    place = tmp_path / "store" / folder
    if place.exists():
        place.rmdir()
    place.symlink_to(home)
    for opening in (open_store, make_store, find_store):
        with pytest.raises(DamagedError, match=f"{folder}.*stilts mend"):
            opening(str(tmp_path / "store"))
    assert everything(home) == before


@pytest.mark.parametrize("version", [0, -1, "2", None, True, 2.0, 10**400])
def test_a_version_that_is_none_is_refused(version: object, tmp_path: Path) -> None:
    make_store(str(tmp_path / "store"))
    body = json.dumps({"version": version, "id": "0" * 32}).encode()
    (tmp_path / "store" / "LAYOUT").write_bytes(body)
    with pytest.raises((StoreError, NewerError)):
        open_store(str(tmp_path / "store"))


def as_layout_1(store: Path) -> None:
    """Makes of the store one from before there were checksums: every seal is taken off."""
    for path in [*(store / "stages").rglob("*.json"), *(store / "records").rglob("*.json")]:
        name = str(path.relative_to(store))
        path.write_bytes(unseal(name, path.read_bytes(), required=True))
    layout = json.loads(unseal("LAYOUT", (store / "LAYOUT").read_bytes(), required=True))
    (store / "LAYOUT").write_text(json.dumps({"version": 1, "id": layout["id"]}))


@pytest.fixture
def old(tmp_path: Path) -> Store:
    """A store of layout 1 with an artifact and a record."""
    store = make_store(str(tmp_path / "store"))
    publish(store, KEY, fill(tmp_path / "a", weights="w"))
    store.write_record("studies/a/stopped", {"reason": "spent", "time": 1.5})
    as_layout_1(tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def test_a_store_from_before_checksums_is_read_as_it_is(old: Store) -> None:
    before = everything(Path(old.url))
    assert not old.documents.required
    assert old.result(KEY) == {"number": 1, "seconds": 2.0} and (old.fetch(KEY) / "weights").read_text() == "w"
    assert old.read_record("studies/a/stopped") == {"reason": "spent", "time": 1.5}
    assert everything(Path(old.url)) == before


def test_sealing_gives_every_file_its_checksum_and_keeps_the_store_the_same(old: Store) -> None:
    store_id = json.loads((Path(old.url) / "LAYOUT").read_text())["id"]
    new = seal_store(old)
    assert new.documents.required
    assert new.result(KEY) == {"number": 1, "seconds": 2.0}
    assert new.read_record("studies/a/stopped") == {"reason": "spent", "time": 1.5}
    layout = json.loads(unseal("LAYOUT", (Path(old.url) / "LAYOUT").read_bytes(), required=True))
    assert layout == {"version": 2, "id": store_id}


def test_a_sealing_that_was_killed_is_finished_by_the_next(old: Store) -> None:
    path = Path(old.url) / "records" / "studies" / "a" / "stopped.json"
    path.write_bytes(seal("records/studies/a/stopped.json", json.loads(path.read_text())))
    assert open_store(old.url).read_record("studies/a/stopped") == {"reason": "spent", "time": 1.5}
    assert seal_store(old).read_record("studies/a/stopped") == {"reason": "spent", "time": 1.5}


def test_what_is_no_json_gets_no_checksum(old: Store) -> None:
    (Path(old.url) / "stages" / KEY / "done.json").write_text("{torn")
    with pytest.raises(DamagedError):
        seal_store(old).result(KEY)


@pytest.mark.parametrize("url", ["file:/data/store", "file://localhost/data/store", "file://", "local:store"])
def test_a_url_that_names_no_folder_of_this_machine_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="names no folder of this machine"):
        make_store(url)
    assert list(tmp_path.iterdir()) == []
