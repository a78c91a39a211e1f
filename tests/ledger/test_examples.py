"""Examples: as many rows as the result counts, finite statistics, text where text belongs; or the file is damaged."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from stilts.errors import DamagedError, StoreError
from stilts.ledger.examples import read_answered, read_items, read_predictions, read_statistics
from stilts.store import Store, open_store
from stilts.store.seal import seal
from tests.ledger.spoiled import anew, copy_of, finished, output

COLUMNS = ("correct", "total")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A finished study."""
    return finished(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def store(whole: Store, tmp_path: Path) -> Store:
    """A copy of it."""
    return copy_of(whole, tmp_path)


def spoil(store: Store, change: Callable[[pa.Table], pa.Table]) -> str:
    """Puts other examples in place of one evaluation's, with digests and seal made anew; its key."""
    root = Path(store.url)
    key = output(root)
    [path] = (root / "files" / key).rglob("examples.parquet")
    table = change(parquet.read_table(path))
    path.unlink()
    parquet.write_table(table, path, row_group_size=2**30)
    done = f"stages/{key}/done.json"
    fields = json.loads((root / done).read_bytes())
    del fields["sha256"]
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    fields["files"] = [{"path": path.name, "bytes": path.stat().st_size, "sha256": digest}]
    (root / done).write_bytes(seal(done, fields))
    return key


def with_column(name: str, make: Callable[[int], Any]) -> Callable[[pa.Table], pa.Table]:
    """A change that gives a column other values."""
    return lambda table: table.set_column(table.column_names.index(name), name, pa.array(make(len(table))))


SPOILS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "not a number": with_column("correct", lambda count: np.full(count, np.nan)),
    "infinite": with_column("total", lambda count: np.full(count, np.inf)),
    "words": with_column("correct", lambda count: ["many"] * count),
    "nothing": with_column("correct", lambda count: pa.nulls(count, pa.float64())),
    "lists": with_column("correct", lambda count: [[1.0]] * count),
    "items that are numbers": with_column("item", lambda count: list(range(count))),
    "items that are missing": with_column("item", lambda count: [None] * count),
    "twice": lambda table: pa.concat_tables([table, table]),
    "one less": lambda table: table.slice(1),
    "none": lambda table: table.slice(0, 0),
    "no statistics": lambda table: table.drop_columns(["correct"]),
    "no items": lambda table: table.drop_columns(["item"]),
    "one text of 64 MiB that all share": with_column("prediction", lambda count: ["x" * 2**26] * count),
    "rows that unfold": lambda table: pa.table({name: np.zeros(10**7, np.int8) for name in table.column_names}),
}


@pytest.mark.parametrize("name", SPOILS)
def test_examples_that_are_not_as_the_result_counts_them_are_damaged(name: str, store: Store) -> None:
    key, start = spoil(store, SPOILS[name]), time.process_time()
    with pytest.raises(DamagedError, match=f"files/{key}.*stilts mend"):
        read_statistics(anew(store), key, COLUMNS)
    with pytest.raises(DamagedError):
        read_answered(anew(store), key, COLUMNS)
    assert time.process_time() - start < 5.0


def test_predictions_that_are_no_text_are_damaged(store: Store) -> None:
    key = spoil(store, with_column("prediction", lambda count: list(range(count))))
    with pytest.raises(DamagedError, match="holds no text"):
        read_predictions(anew(store), key)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no parquet at all", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_what_is_no_parquet_is_damaged(data: bytes, store: Store) -> None:
    root = Path(store.url)
    key = spoil(store, lambda table: table)
    [path] = (root / "files" / key).rglob("examples.parquet")
    path.write_bytes(data)
    done = f"stages/{key}/done.json"
    fields = json.loads((root / done).read_bytes())
    del fields["sha256"]
    fields["files"][0] |= {"bytes": len(data), "sha256": "sha256:" + hashlib.sha256(data).hexdigest()}
    (root / done).write_bytes(seal(done, fields))
    with pytest.raises(DamagedError, match="Parquet"):
        read_items(anew(store), key)


def test_a_flipped_byte_anywhere_is_damage(store: Store) -> None:
    root = Path(store.url)
    key = output(root)
    [path] = (root / "files" / key).rglob("examples.parquet")
    data = path.read_bytes()
    for place in range(0, len(data), len(data) // 12):
        path.unlink()
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(DamagedError, match="altered"):
            read_items(open_store(store.url), key)


def test_whole_examples_are_read_and_dropped_ones_are_named(whole: Store, store: Store) -> None:
    key = output(Path(store.url))
    items, statistics = read_statistics(store, key, COLUMNS)
    answered = read_answered(store, key, COLUMNS)
    assert tuple(items) == answered.items == tuple(read_items(store, key)) and statistics.shape == (len(items), 2)
    assert answered.predictions == read_predictions(store, key) and np.array_equal(answered.rows, statistics)
    with store.lease(key.partition("/")[0]):
        store.drop_files(key, "on purpose")
    with pytest.raises(StoreError, match="dropped"):
        read_items(store, key)
