"""A small finished study in a real store, and every way to spoil one of its files: for tests of finding and mending."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from stilts.ledger.mending import mend
from stilts.ledger.summary import SUMMARIES
from stilts.store import Store, open_store
from stilts.store.seal import seal
from tests.analysis.answered_study import NAME, answered_column, write_study

Spoil: TypeAlias = Callable[[Path], str]


def finished(folder: Path) -> Store:
    """A store in which one study is done, its summaries too."""
    store = write_study(folder, [answered_column("xnli", ("en", "de"))], rows=("none", "mnli"))
    assert mend(store, NAME).summaries == 2
    return store


def copy_of(store: Store, folder: Path) -> Store:
    """The same store in a folder of its own."""
    return open_store(str(shutil.copytree(store.url, folder / "store", symlinks=True)))


def anew(store: Store) -> Store:
    """The same store as another process opens it."""
    return open_store(store.url)


def everything(folder: Path) -> dict[str, bytes | str]:
    """Every file and link below the folder with what it holds."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = os.readlink(path)
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def contents(folder: Path) -> list[str]:
    """What all files hold, wherever they lie."""
    return sorted(map(repr, everything(folder).values()))


def change(store: Path, name: str, **fields: Any) -> str:
    """Writes other values into a file's JSON, under a seal that agrees; its name."""
    value = json.loads((store / name).read_bytes())
    value.pop("sha256")
    for path, other in fields.items():
        *above, last = path.split("__")
        inner = value
        for part in above:
            inner = inner[part]
        inner[last] = other
    (store / name).write_bytes(seal(name, value))
    return name


def output(store: Path) -> str:
    """The key of one evaluation."""
    found = sorted((store / "stages").rglob("done.json"))[0]
    return str(found.parent.relative_to(store / "stages"))


def _done(store: Path) -> str:
    return f"stages/{output(store)}/done.json"


def _examples(store: Path) -> Path:
    return next((store / "files" / output(store)).rglob("examples.parquet"))


def _over(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def _torn_result(store: Path) -> str:
    _over(store / _done(store), (store / _done(store)).read_bytes()[:-20])
    return f"stages/{output(store)}"


def _lost_result(store: Path) -> str:
    path = _done(store)
    (store / path).rename(store / path.replace("done", "done.1"))
    return path.removesuffix("/done.json")


def _forged_result(store: Path) -> str:
    change(store, _done(store), result__score=99.0)
    return f"stages/{output(store)}"


def _linked_result(store: Path) -> str:
    path = _done(store)
    (store / path).unlink()
    (store / path).symlink_to(store.parent / "elsewhere.json")
    return path.removesuffix("/done.json")


def _flipped_examples(store: Path) -> str:
    data = bytearray(_examples(store).read_bytes())
    data[len(data) // 2] ^= 1
    _over(_examples(store), bytes(data))
    return f"stages/{output(store)}"


def _no_examples(store: Path) -> str:
    _examples(store).unlink()
    return f"stages/{output(store)}"


def _flipped_summary(store: Path) -> str:
    path = next((store / "records" / "summaries").iterdir())
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))
    return str(path.relative_to(store))


def _forged_summary(store: Path) -> str:
    stage = output(store).partition("/")[0]
    name = f"records/{SUMMARIES.name(stage)}.json"
    value = json.loads((store / name).read_bytes())
    value.pop("sha256")
    value["outputs"][output(store)]["score"] = 99.0
    (store / name).write_bytes(seal(name, value))
    return name


def _torn_study(store: Path) -> str:
    path = store / "records" / "studies" / NAME / "record.json"
    path.write_bytes(path.read_bytes()[:100])
    return str(path.relative_to(store))


def _misplaced(store: Path) -> str:
    path = f"stages/{output(store)}/gone.json"
    (store / path).mkdir()
    (store / path / "notes.txt").write_text("mine")
    return path


def _half_written(store: Path) -> str:
    path = f"files/{output(store)}/attempt-{'0' * 16}"
    (store / path).mkdir()
    (store / path / "examples.parquet").write_text("half")
    return path


def _pipe_for_a_folder(store: Path) -> str:
    path = f"files/{output(store).partition('/')[0]}"
    shutil.rmtree(store / path)
    os.mkfifo(store / path)
    return path


# What is done, by name; each gives the path that is to be set aside.
SPOILS: Mapping[str, Spoil] = {
    "torn result": _torn_result,
    "lost result": _lost_result,
    "forged result": _forged_result,
    "linked result": _linked_result,
    "flipped examples": _flipped_examples,
    "no examples": _no_examples,
    "flipped summary": _flipped_summary,
    "forged summary": _forged_summary,
    "torn study": _torn_study,
    "misplaced folder": _misplaced,
    "half-written attempt": _half_written,
    "pipe for a folder": _pipe_for_a_folder,
}
