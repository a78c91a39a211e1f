"""Files from outside: what is read of a plain one, and that anything else is one message, at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from stilts.bounded_file import open_bounded, read_bounded, sized
from stilts.errors import DataError


def test_a_plain_file_is_read_whole_up_to_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with open_bounded(path, 5) as stream:
        assert stream.read(2) == b"12"
    with pytest.raises(DataError, match=r"file: it holds 5 bytes, more than the 4 bytes that are read"):
        read_bounded(path, 4)


def test_a_large_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    os.truncate(path, 2**41)
    with pytest.raises(DataError, match=r"it holds 2\.05e\+03 GiB|it holds 2048 GiB"):
        read_bounded(path, 10)


def test_a_file_that_hides_its_size_is_bounded_too() -> None:
    path = Path("/proc/self/maps")
    if not path.is_file():
        pytest.skip("no /proc here")
    assert path.stat().st_size == 0
    with pytest.raises(DataError, match="more than the 10 bytes"):
        read_bounded(path, 10)


def test_what_is_no_file_is_told_by_its_kind_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    for path, said in (
        (tmp_path / "pipe", "it is a pipe, no file"),
        (tmp_path / "link", "it is a pipe, no file"),
        (tmp_path / "folder", "it is a folder, no file"),
        (Path("/dev/zero"), "it is a device, no file"),
        (tmp_path / "none", r"it cannot be read \(No such file or directory\)"),
        (tmp_path / "link" / "x", "it cannot be read"),
        (tmp_path / ("x" * 300), "it cannot be read"),
        (Path("a\0b"), "it cannot be read"),
    ):
        with pytest.raises(DataError, match=said):
            read_bounded(path, 10)


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have 100 letters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(DataError, match="socket: it cannot be read"):
            read_bounded(Path("socket"), 10)


def test_sizes_in_words() -> None:
    assert [sized(n) for n in (10, 2048, 4 * 2**20, 3 * 2**29)] == ["10 bytes", "2 KiB", "4 MiB", "1.5 GiB"]
