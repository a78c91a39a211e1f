"""The file of a tokenized view: an Arrow file, then a seal that says what it was made from and that it is whole.

The seal is the file's last 72 bytes: ``SEAL``, the SHA-256 of the entry's key, and the SHA-256 of all bytes before it.
A file is believed only where both agree. Its arrays are mapped into memory, never copied.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import stat
import time
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from stilts.data.encoded import Encoded, Ragged

SEAL = b"STILTSE1"  # eight bytes; another last digit for another form of entry
_SEAL_BYTES = len(SEAL) + 2 * 32
_CHUNK = 2**20
_ARRAYS = ("unit_example", "labels", "spans", "targets")
_RAGGED = ("ids", "row_labels", "words", "chars")

# Device, inode, size, and when content and inode last changed, in ns: a file with another content has another state,
# though somebody may have set the clock of its content back.
_State: TypeAlias = tuple[int, int, int, int, int]
# The files whose seal this process found to agree, each with the key in it: a file is hashed once as long as it stays.
# One that changed this short a time ago may change again within the same tick of its file system's clock (2 s on the
# coarsest), so it is not remembered yet.
_SETTLES_NS = 2_000_000_000
_verified: dict[_State, bytes] = {}


def write_entry(stream: BinaryIO, key: str, encoded: Encoded) -> None:
    """Writes an encoded view under its key (64 hex digits): its arrays are the columns of a one-row Arrow file."""
    import pyarrow as pa

    hashed = _Hashed(stream)
    table = _table(encoded)
    with pa.PythonFile(hashed, mode="w") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    hashed.write(SEAL + bytes.fromhex(key))
    stream.write(hashed.sha.digest())


def read_entry(descriptor: int, key: str) -> Encoded | None:
    """The view in an open file, its arrays mapped from disk; None unless it is whole and was made under the key."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size <= _SEAL_BYTES:
        return None
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    sealed = _verified.get(state) or _sealed_key(descriptor, status.st_size)
    if sealed is not None and time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLES_NS:
        _verified[state] = sealed
    if sealed != bytes.fromhex(key):
        return None
    return _mapped(descriptor, status.st_size - _SEAL_BYTES)


def _sealed_key(descriptor: int, size: int) -> bytes | None:
    """The digest of the key that the file was made under; None where its bytes are not those that were written.

    It is read, not mapped: a file that another process cuts short meanwhile then ends, and nothing is killed by it.
    """
    sha, left = hashlib.sha256(), size - 32
    seal = b""
    while left > 0:
        chunk = os.pread(descriptor, min(_CHUNK, left), size - 32 - left)
        if not chunk:
            return None
        sha.update(chunk)
        seal = (seal + chunk)[-(_SEAL_BYTES - 32) :]
        left -= len(chunk)
    if os.pread(descriptor, 33, size - 32) != sha.digest() or not seal.startswith(SEAL):
        return None
    return seal[len(SEAL) :]


class _Hashed(io.RawIOBase):
    """Passes on what is written to it, and hashes it on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        self.sha = hashlib.sha256()
        self._stream = stream

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: Any) -> int:
        """How many bytes were written: all."""
        self.sha.update(data)
        return self._stream.write(data)

    def close(self) -> None:
        """Leaves the stream open: the seal follows what Arrow wrote."""


def _table(encoded: Encoded) -> Any:
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
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=numbers))


def _mapped(descriptor: int, num_bytes: int) -> Encoded:
    """The view in the first bytes of a file. The map keeps the file open on its own, whatever takes its name."""
    import pyarrow as pa

    whole = pa.py_buffer(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
    table = pa.ipc.open_file(pa.BufferReader(whole.slice(0, num_bytes))).read_all()
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
