"""What was found good is believed as long as not a byte of what decided it changes, and costs nothing then."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from stilts.app import checks, findings, looked_at
from stilts.app.findings import remembered, told_by_content
from stilts.fingerprint import Json
from stilts.store.cache_files import user_cache
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Source
from stilts.tasks.weight_files import ENCODER_FILE
from tests.e2e.studies import tiny_study
from tests.field.brought import brought, counts, pair_lines, refused, split_files, taken


class Asked:
    """Finds something, and counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Json]:
        self.times += 1
        return {"views": [1, None, "ü"]}


def kept() -> list[Path]:
    folder = user_cache("found")
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_what_was_found_is_not_looked_for_again() -> None:
    asked = Asked()
    assert [remembered(["a", 1], asked) for _ in range(3)] == [{"views": [1, None, "ü"]}] * 3
    assert asked.times == 1
    remembered(["a", 2], asked)
    assert asked.times == 2


def test_other_code_or_another_library_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    remembered("a", asked)
    monkeypatch.setattr(findings, "_checker", lambda: "another")
    remembered("a", asked)
    assert asked.times == 2


def test_the_checker_is_all_of_the_code_and_the_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    for name in ("__init__.py", "data/load.py", "data/words.txt", "data/notes.md"):
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(findings, "_PACKAGE", tmp_path)
    whole = findings._checker.__wrapped__
    before = whole()
    (tmp_path / "data" / "notes.md").write_text("2")
    assert whole() == before
    for name in ("data/load.py", "data/words.txt"):
        (tmp_path / name).write_text("2")
        after = whole()
        assert after != before, name
        before = after
    monkeypatch.setattr(findings, "version", lambda library: "99")
    assert whole() != before


def test_what_fails_is_not_kept() -> None:
    def fails() -> dict[str, Json]:
        raise ValueError("bad")

    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            remembered("a", fails)
    assert kept() == []


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "another", "huge", "folder", "pipe", "link"])
def test_a_damaged_finding_is_none(damage: str, tmp_path: Path) -> None:
    asked = Asked()
    remembered("other", asked)
    (other,) = kept()
    remembered("a", asked)
    (path,) = [path for path in kept() if path != other]
    whole = path.read_bytes()
    path.unlink()
    made: dict[str, Callable[[], Any]] = {
        "flipped": lambda: path.write_bytes(whole.replace(b"views", b"viewz")),
        "cut": lambda: path.write_bytes(whole[:-3]),
        "empty": lambda: path.write_bytes(b""),
        "another": lambda: path.write_bytes(other.read_bytes()),
        "huge": lambda: path.write_bytes(whole + b" " * findings._MOST_BYTES),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: (path.symlink_to(tmp_path / "elsewhere"), (tmp_path / "elsewhere").write_bytes(whole)),
    }
    made[damage]()
    assert remembered("a", asked) == {"views": [1, None, "ü"]}
    assert asked.times == 3


@pytest.mark.parametrize("place", ["file", "link", "nowhere"])
def test_without_a_folder_all_is_found_anew(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, elsewhere = tmp_path / "cache", tmp_path / "elsewhere"
    elsewhere.mkdir()
    if place == "file":
        cache.write_text("mine")
    elif place == "link":
        (cache / "stilts").mkdir(parents=True)
        (cache / "stilts" / "found").symlink_to(elsewhere)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none" if place == "nowhere" else str(cache))
    asked = Asked()
    for _ in range(2):
        assert remembered("a", asked) == {"views": [1, None, "ü"]}
    assert asked.times == 2 and list(elsewhere.iterdir()) == []


def test_findings_go_after_a_month() -> None:
    remembered("old", Asked())
    (old,) = kept()
    os.utime(old, (0, 0))
    notes = old.with_name("notes.json")
    notes.write_text("mine")
    os.utime(notes, (0, 0))
    remembered("new", Asked())
    assert not old.exists() and notes.exists() and len(kept()) == 2


def test_what_the_hub_gives_and_foreign_kinds_are_looked_at_each_time() -> None:
    task = default_registry().task("mnli")
    ((view,), _) = Resolver(default_registry(), {}, source=Source.TOY).intermediate_views(task)
    hub = replace(view, source=Source.HUB)
    foreign = replace(view, kind=replace(view.kind, module="theirs.kinds"))
    assert told_by_content([view, replace(view, exclude=(view,))])
    for other in (hub, replace(view, exclude=(hub,)), foreign):
        assert not told_by_content([view, other])
    asked = Asked()
    for _ in range(2):
        remembered("a", asked, unless=True)
    assert asked.times == 2 and kept() == []


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("it is known")


def test_validate_says_the_same_again_without_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = tiny_study(tmp_path / "study")
    before = taken(study)
    assert before["decoded"] and any(view["labels"] for view in before["views"])
    for module, name in ((looked_at, "load_examples"), (looked_at, "check_target"), (checks, "check_encoder_folder")):
        monkeypatch.setattr(module, name, refuse)
    assert taken(study) == before


def test_another_length_is_looked_at_anew(tmp_path: Path) -> None:
    study = brought(tmp_path, split_files(pair_lines))
    assert taken(study)["truncated"] == {"mine": 0}
    study.write_text(study.read_text().replace('"max_length": 96', '"max_length": 16'))
    assert taken(study)["truncated"]["mine"] > 0


def test_changed_data_are_looked_at_anew(tmp_path: Path) -> None:
    study = brought(tmp_path, files := split_files(pair_lines))
    assert counts(taken(study)) == {"en": 12, "de": 12}
    test, train = tmp_path / "test-de", str(files["train-en"]).splitlines(keepends=True)
    state = test.stat()
    test.write_text(test.read_text().splitlines(keepends=True)[0])
    os.utime(test, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert counts(taken(study)) == {"en": 12, "de": 1}
    test.write_text("".join(train[:5]))
    refused(study, "they share")


def test_changed_weights_are_looked_at_anew(tmp_path: Path) -> None:
    study = tiny_study(tmp_path / "study")
    taken(study)
    path = tmp_path / "study" / "tiny" / ENCODER_FILE
    tensors, state = load_file(path), path.stat()
    name = next(name for name in tensors if name.endswith("layer.0.output.dense.weight"))
    tensors[name][0, 0] = np.nan
    save_file(tensors, path, metadata={"format": "pt"})
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    refused(study, "NaN")


def test_nothing_but_findings_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, home = tiny_study(tmp_path / "study"), tmp_path / "home"
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    taken(study)
    found = home / ".cache" / "stilts" / "found"
    written = {path for path in tmp_path.rglob("*") if path not in before and "__pycache__" not in path.parts}
    assert {path for path in written if path.is_file()} == set(kept()) != set()
    assert {path for path in written if path.is_dir()} == {home, *(found, *found.parents)[:3]}


def test_an_encoder_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = tiny_study(tmp_path / "study")
    config = tmp_path / "study" / "tiny" / "config.json"
    monkeypatch.setattr(checks, "check_encoder_folder", lambda folder: config.write_text(config.read_text() + "\n"))
    refused(study, "its files changed while they were read")
