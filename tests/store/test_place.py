"""Place: nothing but regular files of a store is read, and nothing but what stilts makes is deleted, behind no link."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from stilts.errors import DamagedError, StoreError
from stilts.store.layout import LAYOUT, attempt_path, done_path, most_bytes, new_temp, new_token
from stilts.store.place import Place

KEY = "train-toy-0123456789ab"
DONE = done_path(KEY)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user's beside the store."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("three years")
    (mine / "done.json").write_text("{}")
    return mine


@pytest.fixture
def place(tmp_path: Path, mine: Path) -> Place:
    """A store's folder with one stage and its files."""
    root = tmp_path / "store"
    (root / DONE).parent.mkdir(parents=True)
    (root / DONE).write_text("{}")
    (root / attempt_path(KEY, "attempt-" + "0" * 16)).mkdir(parents=True)
    (root / attempt_path(KEY, "attempt-" + "0" * 16) / "weights").write_text("w")
    return Place(root)


def untouched(mine: Path) -> bool:
    return {path.name: path.read_text() for path in mine.iterdir()} == {"thesis.txt": "three years", "done.json": "{}"}


def _socket(at: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(at))


def _huge(at: Path) -> None:
    at.touch()
    os.truncate(at, most_bytes(DONE) + 1)


UNLIKE: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "link to a file": lambda at: at.symlink_to(at.parents[3] / "mine" / "thesis.txt"),
    "link to nowhere": lambda at: at.symlink_to("nowhere"),
    "link without end": lambda at: at.symlink_to("/dev/zero"),
    "socket": _socket,
    "too many bytes": _huge,
}


@pytest.mark.parametrize("kind", UNLIKE)
def test_what_is_no_regular_file_of_such_a_size_is_never_read(
    kind: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have 107 bytes
    place.at(DONE).unlink()
    UNLIKE[kind](place.at(DONE))
    with pytest.raises(DamagedError, match=DONE):
        place.read(DONE)


def test_what_is_not_there_is_none(place: Place) -> None:
    assert place.read("records/a.json") is None and place.read(f"{DONE}/deeper") is None and not place.has_file("tmp")


@pytest.mark.parametrize("linked", ["stages", f"stages/{KEY}"])
def test_nothing_is_deleted_or_found_behind_a_link(linked: str, place: Place, mine: Path) -> None:
    os.rename(place.at(linked), place.root / "aside")
    place.at(linked).symlink_to(mine)
    with pytest.raises(DamagedError, match="a link lies where a folder"):
        place.delete_file(DONE)
    with pytest.raises(DamagedError, match="a link"):
        place.inside(DONE)
    assert untouched(mine)


def test_a_link_in_an_objects_place_goes_and_what_it_points_at_stays(place: Place, mine: Path) -> None:
    place.at(DONE).unlink()
    place.at(DONE).symlink_to(mine / "done.json")
    place.delete_file(DONE)
    assert not os.path.lexists(place.at(DONE)) and untouched(mine)


def test_a_link_in_an_attempts_place_is_not_deleted(place: Place, mine: Path) -> None:
    path = attempt_path(KEY, new_token())
    place.at(path).symlink_to(mine)
    with pytest.raises(DamagedError, match="a link"):
        place.delete_tree(path)
    assert place.at(path).is_symlink() and untouched(mine)


def test_a_tree_is_not_deleted_by_way_of_a_linked_folder_for_what_is_half_written(place: Place, mine: Path) -> None:
    place.at("tmp").symlink_to(mine)
    with pytest.raises(DamagedError):
        place.delete_tree(attempt_path(KEY, "attempt-" + "0" * 16))
    with pytest.raises(DamagedError):
        place.delete_file(new_temp())
    assert untouched(mine) and place.at(attempt_path(KEY, "attempt-" + "0" * 16)).is_dir()


@pytest.mark.parametrize(
    "path",
    [
        *("files", "stages", "tmp", ".", "", "files/letters/will.txt", "files/a.txt", f"files/{KEY}", f"stages/{KEY}"),
        *(f"files/{KEY}/../../../mine", f"files/{KEY}/attempt-xyz", f"files/{KEY}/{'attempt-' + '0' * 16}/weights"),
        *("../mine", "/etc", "tmp/photos", f"tmp/{'0' * 32}/a", "progress/photos", "leases/a/1.json", "cache/tokens"),
        *(
            "records/a.txt",
            "records/../../mine/thesis.json",
            f"{DONE}~",
            "LAYOUT.bak",
            "spool",
            "damaged/x",
            "optuna.db",
        ),
    ],
)
def test_what_stilts_does_not_name_is_never_deleted(path: str, place: Place, mine: Path) -> None:
    before = sorted(str(each) for each in place.root.rglob("*"))
    for delete in (place.delete_file, place.delete_tree):
        with pytest.raises(StoreError, match="nothing that stilts makes"):
            delete(path)
    assert sorted(str(each) for each in place.root.rglob("*")) == before and untouched(mine)


def test_what_stilts_made_is_deleted(place: Place) -> None:
    place.delete_file(DONE)
    place.delete_tree(attempt_path(KEY, "attempt-" + "0" * 16))
    place.delete_file(DONE)  # twice is as good as once
    assert not place.at(DONE).exists() and list(place.at(f"files/{KEY}").iterdir()) == []
    assert list(place.at("tmp").iterdir()) == []


def test_what_lies_in_the_wrong_place_is_named(place: Place, mine: Path) -> None:
    place.at(LAYOUT).write_text("{}")
    place.at("records").symlink_to(mine)
    place.at("leases").write_text("x")
    assert set(place.unlike_folders()) == {"records", "leases"}
    place.at(DONE).unlink()
    place.at(DONE).mkdir()
    place.at("stages/train-other-0123456789ab").symlink_to(mine)
    place.at("stages/notes.txt").write_text("mine")
    assert set(place.misplaced()) == {DONE, "stages/train-other-0123456789ab"}
