"""The store's contract over a local folder and over fsspec's memory file system."""

from __future__ import annotations

import pickle
import shutil
import uuid
from pathlib import Path

import pytest

from stilts.errors import MissingPackageError, StoreError
from stilts.store import make_store
from tests.contracts.store_contract import KEY, StoreContract, fill, publish


class TestLocal(StoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return str(tmp_path / "store")


class TestMemory(StoreContract):
    @pytest.fixture
    def url(self) -> str:
        return f"memory://{uuid.uuid4().hex}/store"


def test_file_urls_and_pickles_open_the_same_folder(tmp_path: Path) -> None:
    store = make_store(f"file://{tmp_path}/a%20store")
    assert (tmp_path / "a store" / "LAYOUT").is_file()
    publish(store, KEY, fill(tmp_path / "a", f="1"))
    assert pickle.loads(pickle.dumps(store)).done() == {KEY}


def test_a_local_artifact_shares_the_files_of_its_folder(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    folder = fill(tmp_path / "made", weights="w")
    publish(store, KEY, folder)
    assert (folder / "weights").stat().st_ino == (store.fetch(KEY) / "weights").stat().st_ino
    shutil.rmtree(folder)
    assert (store.fetch(KEY) / "weights").read_text() == "w"


def test_files_with_other_names_are_copied(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    folder = fill(tmp_path / "a", weights="w")
    (tmp_path / "elsewhere").hardlink_to(folder / "weights")
    (folder / "config").symlink_to(tmp_path / "elsewhere")
    publish(store, KEY, folder)
    (tmp_path / "elsewhere").write_text("overwritten")
    assert [(store.fetch(KEY) / name).read_text() for name in ("weights", "config")] == ["w", "w"]


def test_a_checkpoint_may_be_moved(tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    folder = fill(tmp_path / "a", state="s")
    with store.lease(KEY) as lease:
        store.save_progress(KEY, folder, lease, consume=True)
    loaded = store.load_progress(KEY)
    assert loaded is not None and (loaded / "state").read_text() == "s" and not (folder / "state").exists()


def test_a_damaged_download_is_fetched_again(tmp_path: Path) -> None:
    store = make_store(f"memory://{uuid.uuid4().hex}", cache_dir=tmp_path / "cache")
    publish(store, KEY, fill(tmp_path / "a", weights="w"))
    (store.fetch(KEY) / "weights").write_text("xx")
    assert (store.fetch(KEY) / "weights").read_text() == "w"


def test_places_that_cannot_hold_a_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        make_store(str(tmp_path / "file"))
    with pytest.raises(StoreError, match="nosuch"):
        make_store("nosuch://bucket")
    with pytest.raises(StoreError, match="chain"):
        make_store("simplecache::memory://x")


def test_a_file_system_without_hard_links_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    with pytest.raises(StoreError, match="only if it is absent"):
        make_store(str(tmp_path))


def test_a_file_system_that_looks_and_then_writes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem
    from fsspec.spec import AbstractFileSystem

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", AbstractFileSystem.pipe_file)
    with pytest.raises(StoreError, match="only if it is absent"):
        make_store("memory://x")
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", lambda fs, path, value, **_: fs.pipe({path: value}))
    monkeypatch.setattr(
        MemoryFileSystem, "pipe", lambda fs, values: [fs.open(k, "wb", data=v) for k, v in values.items()]
    )
    with pytest.raises(StoreError, match="only if it is absent"):
        make_store("memory://x")


def test_a_bucket_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    def missing(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingPackageError, match="pip install s3fs"):
        make_store("s3://bucket/stilts")
