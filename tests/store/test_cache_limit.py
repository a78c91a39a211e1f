"""What a machine keeps of a bucket stays within a limit: the least recently used goes, and nothing that is in use."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import pytest

from stilts.errors import InputError
from stilts.store import Store, make_store
from stilts.store.cache_limit import LIMIT_VARIABLE, cache_limit, keep_within

KIB = 2**10
# As many as a process holds at once, and four that it let go.
KEYS = [f"train-mnli-{number:012x}" for number in range(20)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    return tmp_path / ".cache" / "stilts"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A bucket with artifacts of 64 KiB."""
    store = make_store(f"memory://{uuid.uuid4().hex}/store")
    content = tmp_path / "content"
    content.mkdir()
    for number, key in enumerate(KEYS):
        (content / "weights").write_bytes(bytes([number]) * 64 * KIB)
        with store.lease(key) as lease:
            store.publish(key, content, payload={}, result={}, lease=lease)
    return store


def test_what_was_used_longest_ago_goes_and_what_is_in_use_stays(store: Store, home: Path) -> None:
    folders = [store.fetch(key) for key in KEYS]
    tokens = home / "tokens" / "0123456789ab.arrow"
    tokens.parent.mkdir()
    tokens.write_bytes(bytes(64 * KIB))
    for used, path in enumerate([folders[2], folders[8], tokens, folders[0], folders[1], folders[3]]):
        os.utime(path, (1e9 + used, 1e9 + used))
    everything = 21 * 64 * KIB
    assert keep_within(None) == keep_within(everything) == 0
    assert keep_within(everything - 1) == 64 * KIB and not folders[2].exists()
    assert keep_within(everything - 150 * KIB) == 128 * KIB
    assert not tokens.exists() and not folders[0].exists() and folders[8].exists(), "the ninth is in use"
    assert keep_within(0) == 2 * 64 * KIB, "all but the last sixteen"
    assert [folder.exists() for folder in folders] == [False] * 4 + [True] * 16
    assert not [path for path in home.rglob("tmp-*")]


def test_each_download_keeps_the_limit_and_what_went_is_fetched_again(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, f"{17 * 64 * KIB / 2**30}")
    folders = [store.fetch(key) for key in KEYS]
    assert sum(folder.exists() for folder in folders) == 17
    assert (store.fetch(KEYS[0]) / "weights").read_bytes() == bytes(64 * KIB)


def test_a_copy_that_is_used_again_is_no_longer_the_oldest(store: Store) -> None:
    folders = [store.fetch(key) for key in KEYS]
    for folder in folders:
        os.utime(folder, (1e9, 1e9))
    store.fetch(KEYS[0])
    for key in KEYS[4:]:  # the process lets the first go, as recent as it is
        store.fetch(key)
    keep_within(17 * 64 * KIB)
    assert [folder.exists() for folder in folders[:4]] == [True, False, False, False]


def test_a_folder_without_locks_or_with_strange_things_is_left_alone(home: Path) -> None:
    keep_within(0)
    strange = home / "store" / "0123456789ab" / "files" / "notes"
    strange.mkdir(parents=True)
    (strange / "mine.txt").write_text("mine")
    (home / "tokens").mkdir()
    (home / "tokens" / "mine.txt").write_text("mine")
    half = home / "store" / "0123456789ab" / f"tmp-{uuid.uuid4().hex}"
    half.mkdir()
    (half / "weights").write_text("half")
    assert keep_within(0) == 0 and half.exists(), "it may still be written"
    os.utime(half, (1e9, 1e9))
    assert keep_within(0) == 4 and not half.exists(), "its process was killed"
    assert (strange / "mine.txt").exists() and (home / "tokens" / "mine.txt").exists()
    shutil.rmtree(home)


def test_the_limit_is_a_number_of_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_limit() is None
    monkeypatch.setenv(LIMIT_VARIABLE, "1.5")
    assert cache_limit() == 3 * 2**29
    for wrong in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv(LIMIT_VARIABLE, wrong)
        with pytest.raises(InputError, match="no number of gibibytes"):
            cache_limit()
