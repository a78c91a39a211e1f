"""Files that a user asked for: whole, and never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from stilts import whole_file
from stilts.errors import InputError
from stilts.whole_file import check_empty, write_whole


def test_a_new_file_and_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    write_whole(path, b"one")
    os.chmod(path, 0o640)
    write_whole(path, b"two")
    assert path.read_bytes() == b"two" and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["a.svg"]


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_is_not_followed(tmp_path: Path, dangling: bool) -> None:
    notes = tmp_path / "notes.txt"
    if not dangling:
        notes.write_text("mine")
    (tmp_path / "out.svg").symlink_to(notes)
    with pytest.raises(InputError, match="a symbolic link stands there"):
        write_whole(tmp_path / "out.svg", b"ours")
    assert notes.exists() is not dangling and (dangling or notes.read_text() == "mine")
    assert (tmp_path / "out.svg").is_symlink()


def test_another_name_of_a_file_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    os.link(tmp_path / "notes.txt", tmp_path / "out.svg")
    write_whole(tmp_path / "out.svg", b"ours")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_folders_and_pipes_are_refused_and_a_missing_folder_is_one_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("pipe", "a device, pipe or socket"), (".", "a folder"), ("no/such", "cannot be written")):
        with pytest.raises(InputError, match=said):
            write_whole(tmp_path / name, b"")
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_write_that_fails_leaves_the_old_content_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file.os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_whole(tmp_path / "a", b"new")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": b"old"}


def test_only_a_new_or_empty_folder_is_empty(tmp_path: Path) -> None:
    check_empty(tmp_path / "new", "x", "y")
    (tmp_path / "empty").mkdir()
    check_empty(tmp_path / "empty", "x", "y")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "file").write_text("")
    for name, said in (("link", "a symbolic link"), ("file", "it is a file"), (".", "it holds empty, file, link")):
        with pytest.raises(InputError, match=said):
            check_empty(tmp_path / name, "x", "y")
