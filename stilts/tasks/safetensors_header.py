"""The header of a safetensors file, believed only where it fits the file: no weight is read, no torch.

Layout (github.com/huggingface/safetensors): eight bytes of length, JSON of ``{name: {dtype, shape, data_offsets}}``,
then the tensors end to end. What is refused here is what the library refuses when it loads the file.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from stilts.bounded_file import not_a_file
from stilts.errors import EncoderError

# Longer headers than this are no headers: safetensors' own limit.
LONGEST_HEADER = 100_000_000
# More tensors than 10,000 layers have: reading so many names would take minutes, and none of them would be used.
_MOST_TENSORS = 200_000
# Bytes of a number, for the types that weights come in.
FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_OTHERS = {"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_BYTES = {**FLOATS, **_OTHERS, "C64": 8, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """Where one tensor lies: its file, its name there, type and shape, and from which byte of the file to which."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_header(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file by name; EncoderError where it is none, or where header and file do not fit."""
    kind = not_a_file(path)
    if kind is not None:
        raise _unreadable(path, f"it is {kind}, not a file")
    try:
        size = os.path.getsize(path)
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length <= min(LONGEST_HEADER, size - 8):
                raise _unreadable(path, "it is cut short, or no safetensors file")
            header = json.loads(stream.read(length))
    except RecursionError:
        raise _unreadable(path, "it cannot be read as safetensors (its header is nested too deep)") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"it cannot be read as safetensors ({error})") from error
    entries = header if isinstance(header, dict) else {}
    if len(entries) > _MOST_TENSORS:
        raise _unreadable(path, f"its header names {len(entries):,} tensors, more than any encoder has")
    found = {name: _tensor(path, name, entry, 8 + length) for name, entry in entries.items() if name != "__metadata__"}
    if not found:
        raise _unreadable(path, "there is no tensor in it")
    _check_places(path, found, 8 + length, size)
    return found


def _tensor(path: Path, name: str, entry: Any, start: int) -> StoredTensor:
    """One entry of a header; offsets count from ``start``, where the tensors begin."""
    fields = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not isinstance(dtype, str) or not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2:
        raise _unreadable(path, f"the header's entry of {_short(name)} is no dtype, shape and data_offsets")
    begin, end = offsets
    width = _BYTES.get(dtype)
    if begin > end or (width is not None and math.prod(shape) * width != end - begin):
        raise _unreadable(path, f"the offsets of {_short(name)} in its header do not fit its shape")
    return StoredTensor(file=path, name=name, dtype=dtype, shape=tuple(shape), begin=start + begin, end=start + end)


def _check_places(path: Path, tensors: dict[str, StoredTensor], start: int, size: int) -> None:
    """Raises unless the tensors lie end to end from ``start`` to the last byte of the file."""
    at = start
    for tensor in sorted(tensors.values(), key=lambda each: (each.begin, each.end)):
        if tensor.begin != at:
            where = "overlaps another tensor" if tensor.begin < at else "leaves a gap before it"
            raise _unreadable(path, f"by its header {_short(tensor.name)} {where}")
        at = tensor.end
    if at != size:
        how = "it is cut short" if at > size else "there are bytes behind the last tensor"
        raise _unreadable(path, f"{how}: by its header it has {at:,} bytes, and it has {size:,}")


def _whole_numbers(value: Any) -> TypeGuard[list[int]]:
    """Whether the value is a list of a few sizes: a product of them stays small, too."""
    return (
        isinstance(value, list) and len(value) <= 16 and all(type(each) is int and 0 <= each < 2**63 for each in value)
    )


def _short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:77]}..."


def _unreadable(path: Path, found: str) -> EncoderError:
    return EncoderError(f"weights in {path}", found, "Only safetensors are loaded", "Copy or save the checkpoint again")
