"""Damages to a store, as values: what a hand, a disk, a file manager or a stranger may do to any place in it.

``damages`` draws them. A damage names its place by a number, so that it means the same in every copy of a store.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from hypothesis import strategies as st

from stilts.store.seal import sealed

Where: TypeAlias = str
DEEP = "@deep"  # stands for JSON that is nested 200,000 deep, which no parser here could write
_DEPTH = 200_000
# What data from outside may hold in place of anything.
_WORST: tuple[Any, ...] = (
    *(None, True, 0, -1, 0.5, 10**400, 2**63, float("nan"), float("inf"), -1e308, "", "0.5", ".", "..", "../.."),
    *("../../../victim", "/", "\x1b[2J", "\x00", "none", "attempt-0000000000000000", [], {}, [[]], [None], {"": None}),
    *("x" * 5000, ["a", "a"], DEEP),
)
_JSON = st.sampled_from(_WORST) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One damage: its name, the place it is done to (relative to the store), and what is done with which arguments.

    ``forges``: the file agrees with its seal afterwards, as only somebody who knows how it is made could do.
    """

    kind: str
    at: Where
    arguments: tuple[Any, ...] = ()
    forges: bool = False

    def do(self, store: Path) -> None:
        """Does it; ``victim`` beside the store is what lies outside."""
        _DO[self.kind](store, self.at, *self.arguments)

    def __repr__(self) -> str:
        given = ", ".join(repr(argument)[:200] for argument in self.arguments)
        return f"{self.kind}({self.at}{', ' + given if given else ''})"


# Values in JSON


def put_value(store: Path, at: Where, number: int, act: str, value: Any, reseal: bool) -> None:
    """Replaces, removes or adds one value of the file's JSON; ``number`` counts its values."""
    path = store / at
    fields = json.loads(path.read_bytes())
    places = [*_places(fields, skip="sha256")]
    if places:
        above, name = places[number % len(places)]
        if act == "replace":
            above[name] = value
        elif act == "remove":
            del above[name]
        elif isinstance(above, list):
            above.insert(name, value)
        else:
            above[f"{name}_"] = value
    write_json(path, at, fields, reseal=reseal)


def write_json(path: Path, at: Where, fields: Any, *, reseal: bool) -> None:
    """Writes the JSON with the old seal, which then does not agree, or with its own."""
    old = fields.pop("sha256", None) if isinstance(fields, dict) else None
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    body = body.replace(json.dumps(DEEP).encode(), b"[" * _DEPTH + b"]" * _DEPTH)
    if reseal:
        body = sealed(at, body)
    elif old is not None:
        body = b'{"sha256":"%s",' % str(old).encode() + body[1:]
    over(path, body)


def _places(value: Any, skip: str = "") -> Any:
    """Every (container, index or name) in the JSON."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for name, inner in list(items):
        if name != skip:
            yield value, name
            yield from _places(inner)


def close_circle(store: Path, at: Where) -> None:
    """Makes each stage of a study's record start from the last one."""
    path = store / at
    fields = json.loads(path.read_bytes())
    for stage in fields["stages"].values():
        stage["parent"] = list(fields["stages"])[-1]
    write_json(path, at, fields, reseal=True)


# Files and folders


def over(path: Path, data: bytes) -> None:
    """Writes a file in place of whatever is there, be it read only."""
    gone(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def gone(path: Path) -> None:
    """Takes a file, link or folder away."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _remove(store: Path, at: Where) -> None:
    gone(store / at)


def _bytes(store: Path, at: Where, data: bytes) -> None:
    over(store / at, data)


def _flip(store: Path, at: Where, number: int, bit: int) -> None:
    data = bytearray((store / at).read_bytes())
    if data:
        data[number % len(data)] ^= 1 << bit
    over(store / at, bytes(data))


def _cut(store: Path, at: Where, number: int) -> None:
    data = (store / at).read_bytes()
    over(store / at, data[: number % (len(data) + 1)])


def _huge(store: Path, at: Where) -> None:
    over(store / at, b"")
    os.truncate(store / at, 2**31)


def _fifo(store: Path, at: Where) -> None:
    gone(store / at)
    os.mkfifo(store / at)


def _folder(store: Path, at: Where, holds: str) -> None:
    gone(store / at)
    (store / at).mkdir(parents=True)
    if holds:
        (store / at / holds).write_text("mine")


def _link(store: Path, at: Where, to: str) -> None:
    gone(store / at)
    (store / at).parent.mkdir(parents=True, exist_ok=True)
    target = {"victim": store.parent / "victim", "file": store.parent / "victim" / "thesis.txt"}.get(to, Path(to))
    (store / at).symlink_to(target)


def _copy(store: Path, at: Where, other: Where) -> None:
    if other != at and (store / other).is_file():
        over(store / at, (store / other).read_bytes())


def _stray(store: Path, at: Where, name: str, data: bytes) -> None:
    place = store / at / name
    if place.parent.is_dir() and not os.path.lexists(place):
        place.write_bytes(data)


# Examples, with the digests of their artifact made anew


def _examples(store: Path, at: Where, how: str) -> None:
    path = store / at
    table = parquet.read_table(path)
    name = next(name for name in table.column_names if pa.types.is_floating(table.schema.field(name).type))
    gone(path)
    parquet.write_table(_SPOIL[how](table, name), path, row_group_size=2**30)
    _, *key, _attempt, _name = Path(at).parts
    done = Path("stages", *key, "done.json")
    fields = json.loads((store / done).read_bytes())
    data = path.read_bytes()
    fields["files"] = [{"path": path.name, "bytes": len(data), "sha256": "sha256:" + hashlib.sha256(data).hexdigest()}]
    write_json(store / done, str(done), fields, reseal=True)


def _of(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def _unfolding(table: pa.Table, name: str) -> pa.Table:
    rows = 3 * 10**7
    return pa.table({each: pa.array(np.zeros(rows, np.int8)) for each in table.column_names})


_SPOIL: Mapping[str, Callable[[pa.Table, str], pa.Table]] = {
    "nan": lambda table, name: _of(table, name, np.full(len(table), np.nan)),
    "infinite": lambda table, name: _of(table, name, np.full(len(table), np.inf)),
    "changed": lambda table, name: _of(table, name, 1.0 - table[name].to_numpy()),
    "words": lambda table, name: _of(table, name, ["many"] * len(table)),
    "none": lambda table, name: _of(table, name, pa.nulls(len(table), pa.float64())),
    "twice": lambda table, name: pa.concat_tables([table, table]),
    "less": lambda table, name: table.slice(1),
    "empty": lambda table, name: table.slice(0, 0),
    "column": lambda table, name: table.drop_columns([name]),
    "items": lambda table, name: _of(table, "item", list(range(len(table)))),
    "unfolds": _unfolding,
}

_DO: Mapping[str, Callable[..., None]] = {
    "value": put_value,
    "circle": close_circle,
    "remove": _remove,
    "bytes": _bytes,
    "flip": _flip,
    "cut": _cut,
    "huge": _huge,
    "fifo": _fifo,
    "folder": _folder,
    "link": _link,
    "copy": _copy,
    "stray": _stray,
    "examples": _examples,
}
_STRAYS = (
    *(".DS_Store", "Thumbs.db", "done.json~", "done.json.swp", "done.7.json", "gone.json", "gone.1.json", "x.json"),
    *("attempt-0000000000000000", "0" * 32, "00000001.json", "00000001.released", "00000009-0123456789abcdef"),
    *("train-mnli-000000000000", "a b", "é.json", "\x1b[2J.json", "record.json", "LAYOUT", "-", "x" * 240),
)
_LINKS = ("victim", "file", "/dev/zero", "/nowhere", ".", "..", "done.json")


def damages(store: Path) -> st.SearchStrategy[Damage]:
    """Any one damage to a store that lies as this one."""
    inside = sorted(path for path in store.rglob("*") if not path.is_symlink())
    files = [str(path.relative_to(store)) for path in inside if path.is_file()]
    folders = [str(path.relative_to(store)) for path in inside if path.is_dir()]
    documents = [
        name for name in files if (name.endswith(".json") and not name.startswith("files/")) or name == "LAYOUT"
    ]
    examples = [name for name in files if name.endswith(".parquet")]
    record = next(name for name in files if name.endswith("/record.json"))
    numbers = st.integers(0, 5000)
    forged = st.booleans().flatmap(
        lambda reseal: _made(
            "value",
            documents,
            numbers,
            st.sampled_from(["replace", "replace", "remove", "add"]),
            _JSON,
            st.just(reseal),
            forges=reseal,
        )
    )
    return st.one_of(
        forged,
        forged,
        _made("value", [record], numbers, st.just("replace"), _JSON, st.just(True), forges=True),
        st.just(Damage(kind="circle", at=record, forges=True)),
        _made("remove", files),
        _made("remove", folders),
        _made("bytes", files, st.binary(max_size=64)),
        _made("flip", files, numbers, st.integers(0, 7)),
        _made("cut", files, numbers),
        _made("huge", files),
        _made("fifo", [*files, *folders]),
        _made("bytes", folders, st.binary(max_size=8)),
        _made("folder", files, st.sampled_from(["", "notes.txt"])),
        _made("link", [*files, *folders], st.sampled_from(_LINKS)),
        _made("copy", documents, st.sampled_from(documents)),
        _made("copy", files, st.sampled_from(files)),
        _made("stray", [".", *folders], st.sampled_from(_STRAYS), st.binary(max_size=32) | st.just(b"{}")),
        _made("link", [f"{folder}/{name}" for folder in folders for name in _STRAYS[5:12]], st.sampled_from(_LINKS)),
        _made("examples", examples, st.sampled_from(sorted(_SPOIL)), forges=True),
    )


def _made(
    kind: str, places: list[str], *arguments: st.SearchStrategy[Any], forges: bool = False
) -> st.SearchStrategy[Damage]:
    return st.builds(
        lambda at, given: Damage(kind=kind, at=at, arguments=given, forges=forges),
        _grouped(places),
        st.tuples(*arguments),
    )


def _grouped(places: list[str]) -> st.SearchStrategy[str]:
    """One of the places, each of the store's folders as often as any other: most files are of few kinds."""
    groups: dict[str, list[str]] = {}
    for place in places:
        folder, _, rest = place.partition("/")
        name = f"{folder}/{rest.partition('/')[0]}" if folder == "records" else folder if rest else ""
        groups.setdefault(name, []).append(place)
    return st.sampled_from(sorted(groups)).flatmap(lambda name: st.sampled_from(groups[name]))
