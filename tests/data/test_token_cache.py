"""The token cache gives back what was encoded, and never something else's."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stilts.data import token_cache, token_entry
from stilts.data.encode import ENCODE_VERSION
from stilts.data.encoded import Encoded, Ragged
from stilts.data.token_cache import cache_key, cached
from stilts.kinds.learning import encode
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.multi_label import MULTI_LABEL
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.regression import REGRESSION
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Part, Source
from stilts.tasks.view import DataView
from tests.data.encoding import encoder

TASKS = {
    CLASSIFICATION: "mnli",
    TAGGING: "udpos",
    SPAN_QA: "tydiqa_en",
    MULTIPLE_CHOICE: "hellaswag",
    MASKED_LM: "plain",
    REGRESSION: "stsb",
    MULTI_LABEL: "multieurlex",
}
KEY = "0123456789ab" + "d" * 52


def view_of(name: str) -> DataView:
    registry = default_registry()
    train, _ = Resolver(registry, {}, source=Source.TOY).intermediate_views(registry.task(name), train_limit=20)
    return train[0]


def encoded(name: str) -> Encoded:
    from stilts.data.load import load_examples

    task = default_registry().task(name)
    return encode(task.kind, load_examples(view_of(name), {}), encoder(*task.labels, max_length=48))


def same(left: Encoded, right: Encoded) -> bool:
    def equal(a: Any, b: Any) -> bool:
        if isinstance(a, Ragged):
            return np.array_equal(a.values, b.values) and np.array_equal(a.offsets, b.offsets)
        if isinstance(a, np.ndarray):
            return np.array_equal(a, b) and a.dtype == b.dtype and a.shape == b.shape
        return bool(a == b and type(a) is type(b))

    return all(equal(getattr(left, field.name), getattr(right, field.name)) for field in fields(Encoded))


@cache
def a_view() -> Encoded:
    """A view that many tests may share."""
    return encoded("udpos")


def kept(folder: Path, subject: Encoded, key: str = KEY) -> Path:
    """Where the cache wrote the view."""
    cached(folder, key, lambda: subject)
    return folder / f"{key[:12]}.arrow"


def remade(folder: Path, subject: Encoded, key: str = KEY) -> bool:
    """Whether the view had to be made; what came back is the view in either case."""
    calls = []

    def make() -> Encoded:
        calls.append(1)
        return subject

    assert same(cached(folder, key, make), subject)
    return bool(calls)


@pytest.mark.parametrize("kind", TASKS)
def test_what_is_written_is_read(kind: TaskKind, tmp_path: Path) -> None:
    subject = encoded(TASKS[kind])
    kept(tmp_path, subject)
    assert not remade(tmp_path, subject)


def test_an_empty_view_is_read_too(tmp_path: Path) -> None:
    subject = encode(TAGGING, [], encoder("A", "B"))
    kept(tmp_path, subject)
    assert not remade(tmp_path, subject)


def test_a_view_is_encoded_once(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "tokens"
    assert [remade(folder, encoded("mnli")) for _ in range(2)] == [True, False]
    assert [path.name for path in folder.iterdir()] == [f"{KEY[:12]}.arrow"]


def test_without_a_folder_nothing_is_kept() -> None:
    calls: list[int] = []
    subject = encoded("mnli")
    for _ in range(2):
        cached(None, KEY, lambda: (calls.append(1), subject)[1])
    assert len(calls) == 2


def test_the_arrays_are_mapped_not_copied(tmp_path: Path) -> None:
    subject = encoded("mnli")
    found = cached(tmp_path, KEY, lambda: subject)
    assert not found.ids.values.flags.owndata and not found.ids.values.flags.writeable


def test_an_encoding_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Encoded:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cached(tmp_path, KEY, broken)
    assert list(tmp_path.iterdir()) == []


def test_every_region_of_an_entry_is_checked(tmp_path: Path) -> None:
    subject = encoded("udpos")
    path = kept(tmp_path, subject)
    whole = path.read_bytes()
    for at in [*range(0, len(whole), max(1, len(whole) // 60)), *range(len(whole) - 72, len(whole))]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert remade(tmp_path, subject), at
        assert path.read_bytes() == whole, "the entry is mended"


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_change_the_same_arrays_come_back(data: st.DataObject, tmp_path: Path) -> None:
    subject = a_view()
    path = kept(tmp_path, subject)
    whole = path.read_bytes()
    altered = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=20)):
        altered[at] = data.draw(st.integers(0, 255))
    altered += data.draw(st.binary(max_size=80))
    written = altered[: data.draw(st.sampled_from([len(altered), len(whole) // 2, len(whole) - 1, 72, 0]))]
    path.write_bytes(written)
    assert remade(tmp_path, subject) == (written != whole)
    assert path.read_bytes() == whole


def test_token_ids_that_were_altered_as_arrow_are_not_believed(tmp_path: Path) -> None:
    """The attack of the log: a whole Arrow file in the entry's place, all of its token ids one value."""
    subject = encoded("mnli")
    path = kept(tmp_path, subject)
    table = pa.ipc.open_file(pa.BufferReader(path.read_bytes()[:-72])).read_all()
    ids = table.column("ids.values").chunk(0).values
    flat = pa.LargeListArray.from_arrays([0, len(ids)], pa.array(np.full(len(ids), 7, np.int32)))
    altered = table.set_column(table.column_names.index("ids.values"), "ids.values", flat)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, altered.schema) as writer:
        writer.write_table(altered)
    assert remade(tmp_path, subject)


def test_an_entry_of_another_key_is_not_believed(tmp_path: Path) -> None:
    """Neither one that was renamed, nor one whose key begins with the same 12 digits."""
    subject, other = encoded("mnli"), encoded("udpos")
    for key in ("b" * 64, KEY[:12] + "c" * 52):
        path = kept(tmp_path, other, key)
        os.replace(path, tmp_path / f"{KEY[:12]}.arrow")
        assert remade(tmp_path, subject)


def test_an_altered_file_is_seen_after_it_was_verified_and_with_its_old_time(tmp_path: Path) -> None:
    subject = encoded("mnli")
    path = kept(tmp_path, subject)
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(before.st_size // 2)
        byte = stream.read(1)
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert remade(tmp_path, subject)


def test_an_entry_is_hashed_once_as_long_as_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path, a_view())
    token_entry._verified.clear()
    hashed: list[int] = []
    monkeypatch.setattr(token_entry, "_SETTLES_NS", 0)
    real = token_entry._sealed_key
    monkeypatch.setattr(token_entry, "_sealed_key", lambda fd, size: (hashed.append(size), real(fd, size))[1])
    time.sleep(0.02)  # longer than a tick of the clock that stamps files
    assert not any(remade(tmp_path, a_view()) for _ in range(3)) and len(hashed) == 1
    monkeypatch.setattr(token_entry, "_SETTLES_NS", 3600 * 10**9)
    token_entry._verified.clear()
    assert not any(remade(tmp_path, a_view()) for _ in range(3)) and len(hashed) == 4, "one that just changed may again"


def _fifo(path: Path, elsewhere: Path) -> None:
    os.mkfifo(path)


def _link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


def _link_to_nothing(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere.parent / "new")


def _unreadable(path: Path, elsewhere: Path) -> None:
    path.write_text("junk")
    path.chmod(0)


def _old(path: Path, elsewhere: Path) -> None:
    """As versions without a seal wrote it: Arrow alone."""
    kept(path.parent, encoded("udpos"))
    path.write_bytes(path.read_bytes()[:-72])


@pytest.mark.parametrize("put", [_fifo, _link, _link_to_nothing, _unreadable, _old])
def test_what_is_no_entry_is_replaced_and_what_it_points_at_stays(put: Any, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "tokens", tmp_path / "notes.txt"
    folder.mkdir()
    elsewhere.write_text("mine")
    put(folder / f"{KEY[:12]}.arrow", elsewhere)
    assert remade(folder, a_view()) and not remade(folder, a_view())
    assert elsewhere.read_text() == "mine" and sorted(tmp_path.iterdir()) == [elsewhere, folder]


def test_a_folder_in_an_entrys_place_stays_and_the_cache_is_done_without(tmp_path: Path) -> None:
    there = tmp_path / f"{KEY[:12]}.arrow" / "thesis.txt"
    there.parent.mkdir()
    there.write_text("mine")
    assert remade(tmp_path, a_view()) and remade(tmp_path, a_view())
    assert there.read_text() == "mine" and list(tmp_path.iterdir()) == [there.parent], "no part is left either"


@pytest.mark.parametrize("linked", ["cache", "cache/tokens"])
def test_a_symlink_in_a_folders_place_is_not_followed(linked: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = tmp_path / linked
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(elsewhere, target_is_directory=True)
    assert remade(tmp_path / "cache" / "tokens", a_view())
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("failing", ["open", "write", "fsync", "replace"])
def test_a_cache_that_cannot_be_written_is_done_without(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if failing == "write":
        monkeypatch.setattr(token_entry._Hashed, "write", full)
    else:
        real = getattr(os, failing)
        may = (lambda *a, **k: full() if a[1] & os.O_CREAT else real(*a, **k)) if failing == "open" else full
        monkeypatch.setattr(os, failing, may)
    assert remade(tmp_path, a_view()) and list(tmp_path.iterdir()) == []


def test_a_cache_below_a_file_or_nowhere_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file" / "tokens", tmp_path / "file", Path("/proc/none/tokens")):
        assert remade(folder, a_view())
    assert (tmp_path / "file").read_text() == "mine"


def test_the_bytes_are_on_disk_before_they_have_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, _n=name, _r=real, **k: (done.append(_n), _r(*a, **k))[1])
    kept(tmp_path, a_view())
    assert done == ["fsync", "replace", "fsync"], "the file, its name, the folder"


def test_parts_of_killed_processes_go_and_nothing_else_does(tmp_path: Path) -> None:
    old, young = (tmp_path / f"{'0' * 12}.{digit * 32}.part" for digit in "ab")
    others = [tmp_path / name for name in ("notes.part", f"{'0' * 12}.{'c' * 32}.part.txt")]
    for path in (old, young, *others):
        path.write_text("x")
        if path != young:
            os.utime(path, (0, 0))
    kept(tmp_path, a_view())
    assert not old.exists() and all(path.exists() for path in (young, *others))


def test_the_key_changes_with_whatever_decides_the_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of("mnli")
    base: dict[str, Any] = {"view": view, "tokenizer": "t", "labels": ("a", "b"), "max_length": 64, "doc_stride": 8}
    changes: list[dict[str, Any]] = [
        {"view": replace(view, fingerprint="other")},
        {"view": replace(view, limit=3)},
        {"view": replace(view, part=Part.TENTH)},
        {"view": replace(view, language="de")},
        {"view": replace(view, exclude=(view,))},
        {"tokenizer": "u"},
        {"labels": ("b", "a")},
        {"max_length": 65},
        {"doc_stride": 9},
    ]
    found = [cache_key(**base), *(cache_key(**{**base, **change}) for change in changes)]
    monkeypatch.setattr(token_cache, "ENCODE_VERSION", ENCODE_VERSION + 1)
    found.append(cache_key(**base))
    assert len(set(found)) == len(found)
    monkeypatch.undo()
    assert cache_key(**{**base, "view": replace(view, location={"root": "elsewhere"})}) == found[0]
