"""Tokenized views on disk, as Arrow files that are mapped into memory: a view is tokenized once.

The key is the content: the view's payload, the tokenizer's fingerprint, lengths, labels and ``ENCODE_VERSION``.
A file is written under another name and renamed, so that two processes may tokenize the same view at once.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stilts.data.encode import ENCODE_VERSION
from stilts.data.encoded import Encoded, Ragged
from stilts.fingerprint import digest
from stilts.tasks.view import DataView

_ARRAYS = ("unit_example", "labels", "spans", "targets")
_RAGGED = ("ids", "row_labels", "words", "chars")


def cache_key(
    view: DataView,
    tokenizer: str,
    labels: Sequence[str],
    max_length: int,
    doc_stride: int,
    lengths: Sequence[int | None] = (None, None),
) -> str:
    """What decides the encoded arrays of a view, as 12 hex digits; ``lengths`` are a query's and a candidate's."""
    own = [] if lengths == (None, None) else list(lengths)
    return digest([ENCODE_VERSION, view.payload(), tokenizer, list(labels), max_length, doc_stride, *own])


def cached(folder: Path | None, key: str, make: Callable[[], Encoded]) -> Encoded:
    """The encoded view under ``key``, made and written if it is not there; without a folder always made."""
    if folder is None:
        return make()
    path = folder / f"{key}.arrow"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / f"{key}.{uuid.uuid4().hex}.part"
        write_encoded(written, make())
        os.replace(written, path)
    return read_encoded(path)


def write_encoded(path: Path, encoded: Encoded) -> None:
    """Writes all arrays of an encoded view as the columns of a one-row Arrow file."""
    import pyarrow as pa

    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name in _ARRAYS:
        array = getattr(encoded, name)
        if array is not None:
            columns[name] = array.reshape(-1)
    for name in _RAGGED:
        ragged = getattr(encoded, name)
        if ragged is not None:
            columns[f"{name}.values"], columns[f"{name}.offsets"] = ragged.values, ragged.offsets
    fields = [pa.field(name, pa.large_list(pa.from_numpy_dtype(column.dtype))) for name, column in columns.items()]
    numbers = {name: str(getattr(encoded, name)) for name in ("rows_per_unit", "num_examples", "num_truncated")}
    arrays = [pa.LargeListArray.from_arrays([0, len(c)], pa.array(c)) for c in columns.values()]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=numbers))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read_encoded(path: Path) -> Encoded:
    """The encoded view in a file, its arrays mapped from disk."""
    import pyarrow as pa

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    columns = {name: table.column(name).chunk(0).values.to_numpy() for name in table.column_names}
    numbers: dict[str, Any] = {key.decode(): int(value) for key, value in table.schema.metadata.items()}
    ragged: dict[str, Any] = {
        name: Ragged(columns[f"{name}.values"], columns[f"{name}.offsets"])
        for name in _RAGGED
        if f"{name}.values" in columns
    }
    arrays: dict[str, Any] = {name: columns[name] for name in _ARRAYS if name in columns}
    if "spans" in arrays:
        arrays["spans"] = arrays["spans"].reshape(-1, 2)
    if "targets" in arrays:
        arrays["targets"] = arrays["targets"].reshape(len(arrays["unit_example"]), -1)
    return Encoded(**numbers, **ragged, **arrays)
