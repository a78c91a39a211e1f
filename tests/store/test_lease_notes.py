"""Notes on leases: shared by the processes of one machine, boot and user; anything else in their place is ignored."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.store.here import Here
from stilts.store.lease_notes import LeaseNotes
from stilts.store.lease_watch import Sighting
from stilts.store.owner import Owner

HERE = Here(
    wall=lambda: 5.0,
    ticks=lambda: {"monotonic": 1000.0, "uptime": 1000.0},
    owner=lambda: Owner(host="A", machine="A|1", pid=1, started="1"),
)
TICKS = {"monotonic": 990.0, "uptime": 991.0}
SEEN = Sighting(digest="d", first=TICKS, last=TICKS, changed=True, ahead_s=(2.0, float("inf")))


def notes(folder: Path, url: str = "s3://b/store", here: Here = HERE) -> LeaseNotes:
    return LeaseNotes(url, here, folder=folder)


def the_file(folder: Path) -> Path:
    (file,) = folder.rglob("*.json")
    return file


@pytest.mark.parametrize("ahead_s", [None, (2.0, 3.0), (2.0, float("inf"))])
def test_what_one_process_notes_another_reads(tmp_path: Path, ahead_s: tuple[float, float] | None) -> None:
    seen = replace(SEEN, ahead_s=ahead_s)
    notes(tmp_path).put("x", replace(seen, digest="old"))
    notes(tmp_path).put("y", seen)
    notes(tmp_path).put("x", seen)
    assert notes(tmp_path).get("x") == notes(tmp_path).get("y") == seen
    assert notes(tmp_path).get("z") is None and notes(tmp_path, "s3://b/other").get("x") is None
    assert [path.name for path in the_file(tmp_path).parent.iterdir()] == [the_file(tmp_path).name]


def test_another_boot_reads_nothing_and_starts_anew(tmp_path: Path) -> None:
    rebooted = replace(HERE, owner=lambda: Owner(host="A", machine="A|2", pid=1, started="1"))
    notes(tmp_path).put("x", SEEN)
    assert notes(tmp_path, here=rebooted).get("x") is None
    notes(tmp_path, here=rebooted).put("y", SEEN)
    assert notes(tmp_path).get("x") is None and notes(tmp_path, here=rebooted).get("y") == SEEN


def test_old_notes_go_and_their_number_is_bounded(tmp_path: Path) -> None:
    days = replace(HERE, ticks=lambda: {"monotonic": 1000.0 + 8 * 86_400})
    notes(tmp_path).put("x", SEEN)
    notes(tmp_path, here=days).put("y", replace(SEEN, first={"monotonic": 8 * 86_400.0}))
    assert notes(tmp_path).get("x") is None and notes(tmp_path).get("y") is not None
    value = json.loads(the_file(tmp_path).read_text())
    value["leases"] = {f"l{number}": value["leases"]["y"] for number in range(3000)}
    the_file(tmp_path).write_text(json.dumps(value))
    notes(tmp_path, here=days).put("z", replace(SEEN, first={"monotonic": 8 * 86_400.0}))
    left = json.loads(the_file(tmp_path).read_text())["leases"]
    assert len(left) == 1000 and "z" in left and "l2999" in left


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b" " * 2_000_000 + b"{}",
        b'{"machine": "A|1", "leases": []}',
        b'{"machine": "A|1", "leases": {"x": 5}}',
        b'{"machine": "A|1", "leases": {"x": {"digest": 5, "first": {"monotonic": 1.0}}}}',
        b'{"machine": "A|1", "leases": {"x": {"digest": "d", "first": {"monotonic": 1e400}}}}',
        b'{"machine": "A|1", "leases": {"x": {"digest": "d", "first": {"monotonic": "1"}, "ahead_s": 5}}}',
    ],
)
def test_a_damaged_file_says_nothing_and_is_replaced(tmp_path: Path, data: bytes) -> None:
    notes(tmp_path).put("x", SEEN)
    the_file(tmp_path).write_bytes(data)
    assert notes(tmp_path).get("x") is None
    notes(tmp_path).put("x", SEEN)
    assert notes(tmp_path).get("x") == SEEN


def test_a_folder_that_others_can_write_to_is_not_believed(tmp_path: Path) -> None:
    notes(tmp_path).put("x", SEEN)
    the_file(tmp_path).parent.chmod(0o777)
    assert notes(tmp_path).get("x") is None
    notes(tmp_path).put("y", SEEN)
    the_file(tmp_path).parent.chmod(0o700)
    assert notes(tmp_path).get("y") is None and notes(tmp_path).get("x") == SEEN


def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (tmp_path / f"stilts-leases-{os.geteuid()}").symlink_to(victim)
    notes(tmp_path).put("x", SEEN)
    assert list(victim.iterdir()) == []


def test_a_place_that_cannot_be_written_costs_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    notes(tmp_path / "file").put("x", SEEN)
    assert notes(tmp_path / "file").get("x") is None
