"""What every store must do, whatever it lies on. A subclass gives the fixture ``url``."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest

from stilts.errors import DamagedError, LeaseHeldError, LeaseLostError, NewerError, StoreError
from stilts.store import Store, make_store
from stilts.store.artifact_store import ArtifactStore, Lease
from stilts.store.layout import check_key
from stilts.store.seal import seal

KEY = "train-toy-0123456789ab"
OUTPUT = "evaluate-toy-0123456789ab/report.de-0123abcd"


def fill(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def publish(store: Store, key: str, folder: Path, number: int = 1) -> None:
    with store.lease(key.partition("/")[0]) as lease:
        store.publish(key, folder, payload={"key": key}, result={"number": number, "seconds": 2.0}, lease=lease)


class StoreContract:
    @pytest.fixture
    def store(self, url: str, tmp_path: Path) -> Store:
        return self.open(url, tmp_path)

    def open(self, url: str, tmp_path: Path, **options: float) -> Store:
        return make_store(url, scratch_dir=tmp_path / "scratch", cache_dir=tmp_path / "cache", **options)

    def test_implements_the_protocol(self, store: Store) -> None:
        contract: ArtifactStore = store
        assert contract.done() == frozenset()

    def test_an_artifact_comes_back_as_it_was_published(self, store: Store, tmp_path: Path) -> None:
        publish(store, KEY, fill(tmp_path / "a", weights="w", sub__config="{}"))
        publish(store, OUTPUT, fill(tmp_path / "b", rows="r"))
        assert store.done() == {KEY, OUTPUT}
        assert store.is_done(KEY) and not store.is_done("train-other")
        assert store.result(KEY) == {"number": 1, "seconds": 2.0} and store.payload(OUTPUT) == {"key": OUTPUT}
        found = store.publications([KEY, "train-other"])
        assert {key: one.result for key, one in found.good.items()} == {KEY: store.result(KEY)} and not found.damaged
        assert store.sizes(KEY) == {"weights": 1, "sub/config": 2}
        folder = store.fetch(KEY)
        assert (folder / "weights").read_text() == "w" and (folder / "sub/config").read_text() == "{}"
        assert store.fetch(KEY) == folder

    def test_the_first_publication_wins(self, store: Store, url: str, tmp_path: Path) -> None:
        publish(store, KEY, fill(tmp_path / "a", weights="first"), number=1)
        publish(self.open(url, tmp_path), KEY, fill(tmp_path / "b", weights="second"), number=2)
        assert store.result(KEY)["number"] == 1
        assert (store.fetch(KEY) / "weights").read_text() == "first"
        assert store.orphans() == []

    def test_rivals_without_a_look_before_still_make_one_artifact(self, store: Store, tmp_path: Path) -> None:
        class Unchecked:
            name, token = KEY, "t"

            def check(self) -> None:
                barrier.wait(10)  # both have their files in place before either creates done.json

            __enter__ = __exit__ = check

        barrier = threading.Barrier(2)
        lease: Lease = Unchecked()  # type: ignore[assignment]
        folders = [fill(tmp_path / str(n), weights=f"number {n}") for n in range(2)]
        rivals = [
            threading.Thread(
                target=store.publish,
                args=(KEY, folder),
                kwargs={"payload": {}, "result": {"number": n}, "lease": lease},
            )
            for n, folder in enumerate(folders)
        ]
        for rival in rivals:
            rival.start()
        for rival in rivals:
            rival.join()
        assert (store.fetch(KEY) / "weights").read_text() == f"number {store.result(KEY)['number']}"
        assert store.orphans() == []

    def test_what_is_not_published_is_named(self, store: Store) -> None:
        for read in (store.result, store.payload, store.fetch, store.sizes, lambda key: store.drop_files(key, "")):
            with pytest.raises(StoreError, match=KEY):
                read(KEY)
        assert not store.gone(KEY)

    def test_dropped_files_leave_the_result_and_can_come_back(self, store: Store, tmp_path: Path) -> None:
        publish(store, KEY, fill(tmp_path / "a", weights="first"), number=1)
        assert store.drop_files(KEY, "all evaluations are stored") == 5
        assert store.gone(KEY) and store.is_done(KEY) and KEY in store.done() and store.gone_keys() == {KEY}
        assert store.result(KEY)["number"] == 1
        with pytest.raises(StoreError, match="all evaluations are stored"):
            store.fetch(KEY)
        assert store.drop_files(KEY, "again") == 0
        publish(store, KEY, fill(tmp_path / "b", weights="rebuilt"), number=2)
        assert not store.gone(KEY) and (store.fetch(KEY) / "weights").read_text() == "rebuilt"
        assert store.result(KEY)["number"] == 1
        assert store.drop_files(KEY, "once more") == 7 and store.gone(KEY)

    @pytest.mark.parametrize(
        "key", ["", "..", "../x", "/etc", "a/../b", "a/b/c", "a//b", "a b", "a\\b", ".hidden", "ü"]
    )
    def test_names_that_are_no_safe_path_are_refused(self, store: Store, key: str) -> None:
        with pytest.raises(StoreError, match="artifact key"):
            check_key(key)
        for use in (store.is_done, store.fetch, store.lease, store.load_progress):
            with pytest.raises(StoreError):
                use(key)

    def test_results_that_are_not_json_and_empty_folders_are_refused(self, store: Store, tmp_path: Path) -> None:
        with store.lease(KEY) as lease:
            with pytest.raises(StoreError, match="JSON"):
                odd = {"x": object()}
                store.publish(KEY, fill(tmp_path / "a", f="1"), payload={}, result=odd, lease=lease)  # type: ignore[arg-type]
            with pytest.raises(StoreError, match="no files"):
                store.publish(KEY, fill(tmp_path / "b"), payload={}, result={}, lease=lease)
        assert store.done() == frozenset() and store.orphans() == []

    def test_publishing_needs_the_lease_of_its_stage(self, store: Store, tmp_path: Path) -> None:
        folder = fill(tmp_path / "a", f="1")
        with store.lease("train-other") as lease, pytest.raises(StoreError, match="lease"):
            store.publish(KEY, folder, payload={}, result={}, lease=lease)
        with store.lease(KEY) as lease:
            pass
        with pytest.raises(LeaseLostError):
            store.publish(KEY, folder, payload={}, result={}, lease=lease)
        assert not store.is_done(KEY) and store.orphans() == []

    def test_a_lease_excludes_others_until_it_is_given_back(self, store: Store, url: str, tmp_path: Path) -> None:
        other = self.open(url, tmp_path)
        with store.lease(KEY) as lease:
            lease.check()
            assert other.leased() == {KEY}
            with pytest.raises(LeaseHeldError, match="holds it"):
                other.lease(KEY)
        assert other.leased() == frozenset()
        with other.lease(KEY) as second:
            assert second.token != lease.token
            with pytest.raises(LeaseLostError):
                lease.check()

    def test_a_heartbeat_keeps_a_lease_and_silence_loses_it(self, url: str, tmp_path: Path) -> None:
        mine = self.open(url, tmp_path, lease_ttl_s=0.4, heartbeat_s=0.05)
        lease = mine.lease(KEY)
        with lease:
            time.sleep(0.8)
            with pytest.raises(LeaseHeldError):
                mine.lease(KEY)
        silent = mine.lease(KEY)  # its context is never entered, so nothing beats
        time.sleep(0.5)
        with mine.lease(KEY) as taken:
            with pytest.raises(LeaseLostError, match="taken it over"):
                silent.check()
            taken.check()

    def test_one_of_many_threads_takes_a_lease(self, store: Store) -> None:
        won: list[Lease] = []
        barrier = threading.Barrier(8)

        def race() -> None:
            barrier.wait(10)
            try:
                won.append(store.lease(KEY))
            except LeaseHeldError:
                return

        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        won[0].check()

    def test_progress_is_the_last_saved_and_survives_damage(self, store: Store, tmp_path: Path) -> None:
        assert store.load_progress(KEY) is None
        folder = tmp_path / "checkpoint"
        with store.lease(KEY) as lease:
            for step in range(4):
                store.save_progress(KEY, fill(folder, state=f"step {step}", sub__rng="x"), lease)
        loaded = store.load_progress(KEY)
        assert loaded is not None and (loaded / "state").read_text() == "step 3"
        assert (loaded / "sub/rng").read_text() == "x"
        self.damage(store, sorted(p for p in self.objects(store, f"progress/{KEY}") if p.endswith("state"))[-1])
        loaded = store.load_progress(KEY)
        assert loaded is not None and (loaded / "state").read_text() == "step 2"
        with store.lease(KEY) as lease:
            store.save_progress(KEY, fill(folder, state="step 5"), lease)
        loaded = store.load_progress(KEY)
        assert loaded is not None and (loaded / "state").read_text() == "step 5"
        store.drop_progress(KEY)
        assert store.load_progress(KEY) is None and self.objects(store, f"progress/{KEY}") == []

    def test_progress_needs_the_lease(self, store: Store, tmp_path: Path) -> None:
        with store.lease(KEY) as lease:
            pass
        with pytest.raises(LeaseLostError):
            store.save_progress(KEY, fill(tmp_path / "a", f="1"), lease)
        assert store.load_progress(KEY) is None

    @pytest.mark.parametrize("harm", ["missing", "altered"])
    def test_missing_and_altered_files_are_named(self, store: Store, url: str, tmp_path: Path, harm: str) -> None:
        publish(store, KEY, fill(tmp_path / "a", weights="weights", config="{}"))
        (path,) = (p for p in self.objects(store, f"files/{KEY}") if p.endswith("weights"))
        if harm == "missing":
            self.lose(store, path)
        else:
            self.damage(store, path)
        with pytest.raises(DamagedError, match='"weights"'):
            store.fetch(KEY)

    def test_records(self, store: Store) -> None:
        assert store.read_record("studies/a/record") is None
        assert store.write_record("studies/a/record", {"x": [1, None, "ü"]})
        assert store.write_record("studies/a/proposals/row/0001", {"n": 1}, create_only=True)
        assert not store.write_record("studies/a/proposals/row/0001", {"n": 2}, create_only=True)
        assert store.write_record("studies/ab/record", {"n": 3}) and store.write_record("studies/a/record", {"n": 4})
        assert store.read_record("studies/a/proposals/row/0001") == {"n": 1}
        assert store.read_record("studies/a/record") == {"n": 4} and store.has_record("studies/a/record")
        assert store.records("studies/a") == ["studies/a/proposals/row/0001", "studies/a/record"]
        assert store.records("") == sorted([*store.records("studies/a"), "studies/ab/record"])
        assert store.records("failures") == []
        assert store.record_bodies(["studies/ab/record", "studies/b"]).good == {"studies/ab/record": b'{"n":3}'}
        store.delete_record("studies/a/record")
        store.delete_record("studies/a/record")
        assert store.read_record("studies/a/record") is None

    def test_one_of_many_threads_creates_a_record(self, store: Store) -> None:
        barrier, won = threading.Barrier(8), []

        def race(number: int) -> None:
            barrier.wait(10)
            if store.write_record("proposals/0001", {"n": number}, create_only=True):
                won.append(number)

        threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.read_record("proposals/0001") == {"n": won[0]} and len(won) == 1

    def test_a_newer_layout_is_refused(self, store: Store, url: str, tmp_path: Path) -> None:
        store.backend.replace("LAYOUT", seal("LAYOUT", {"version": 3, "id": "0" * 32}))
        with pytest.raises(NewerError, match="newer than this stilts"):
            self.open(url, tmp_path)

    @pytest.mark.parametrize("data", [b"[]", b"", b'{"version":2,"id":"x"}', b'{"a":' * 200_000])
    def test_a_layout_that_is_none_is_refused(self, store: Store, url: str, tmp_path: Path, data: bytes) -> None:
        store.backend.replace("LAYOUT", data)
        with pytest.raises(StoreError, match="LAYOUT"):
            self.open(url, tmp_path)

    def test_only_what_stilts_makes_is_deleted(self, store: Store, tmp_path: Path) -> None:
        for path in ("photos/a.jpg", "files/photos/2020/a.jpg", "records/../x.json", "tmp/thesis.txt", "stages/x"):
            for delete in (store.backend.delete, store.backend.delete_tree):
                with pytest.raises(StoreError, match="nothing that stilts makes"):
                    delete(path)

    def test_a_document_that_is_not_as_it_was_written_is_never_read(
        self, store: Store, url: str, tmp_path: Path
    ) -> None:
        publish(store, KEY, fill(tmp_path / "a", weights="w"))
        store.write_record("studies/a/record", {"score": 43})
        for path in (f"stages/{KEY}/done.json", "records/studies/a/record.json"):
            data = store.backend.read(path)
            assert data is not None
            for place in range(0, len(data), 7):
                store.backend.replace(path, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
                fresh = self.open(url, tmp_path)
                with pytest.raises(DamagedError, match=re.escape(path)):
                    fresh.result(KEY) if KEY in path else fresh.read_record("studies/a/record")
            store.backend.replace(path, data)
        assert store.result(KEY)["number"] == 1 and store.read_record("studies/a/record") == {"score": 43}

    def test_a_document_in_another_place_is_damaged(self, store: Store) -> None:
        store.write_record("a", {"x": 1})
        store.backend.move("records/a.json", "records/b.json")
        assert store.read_record("a") is None
        with pytest.raises(DamagedError):
            store.read_record("b")
        assert store.record_bodies(["a", "b"]).good == {} and "b" in store.record_bodies(["a", "b"]).damaged

    def objects(self, store: Store, path: str) -> list[str]:
        return [f"{path}/{name}" for name in store.backend.names(path)]

    def lose(self, store: Store, path: str) -> None:
        store.backend.move(path, "elsewhere")

    def damage(self, store: Store, path: str) -> None:
        data = store.backend.read(path)
        assert data is not None
        store.backend.replace(path, bytes([data[0] ^ 1]) + data[1:])
