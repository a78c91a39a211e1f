"""A header is believed where the library believes it, and refused, in words, where the library refuses it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from stilts.errors import EncoderError
from stilts.tasks.safetensors_header import read_header

ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
TWO = {"dtype": "F16", "shape": [2, 1], "data_offsets": [8, 12]}
BYTES = bytes(12)


def write(path: Path, header: Any, data: bytes = BYTES) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def library_reads(path: Path) -> bool:
    try:
        with safe_open(path, framework="np") as opened:  # type: ignore[no-untyped-call]
            return bool(list(opened.keys()))
    except Exception:
        return False


def test_a_header_says_where_each_tensor_lies(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", {"__metadata__": {"format": "pt"}, "a": ONE, "b": TWO})
    found = read_header(path)
    assert library_reads(path)
    assert {name: (t.dtype, t.shape, t.end - t.begin) for name, t in found.items()} == {
        "a": ("F32", (2,), 8),
        "b": ("F16", (2, 1), 4),
    }
    assert path.read_bytes()[found["a"].begin : found["b"].end] == BYTES
    save_file({"a": np.arange(3.0), "empty": np.zeros((0, 4))}, path)
    assert read_header(path)["empty"].shape == (0, 4)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ({"a": ONE, "b": {**TWO, "data_offsets": [4, 8]}}, "overlaps another tensor"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [0, 4]}}, "overlaps another tensor"),
        ({"a": ONE}, "behind the last tensor"),
        ({"b": TWO}, "leaves a gap"),
        ({"a": ONE, "b": {**TWO, "shape": [4, 1], "data_offsets": [8, 16]}}, "cut short"),
        ({"a": ONE, "b": {**TWO, "shape": [2**62, 2**62]}}, "do not fit its shape"),
        ({"a": ONE, "b": {**TWO, "shape": [3]}}, "do not fit its shape"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [12, 8]}}, "do not fit its shape"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [-4, 0]}}, "no dtype, shape and data_offsets"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [8.0, 12.0]}}, "no dtype, shape and data_offsets"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [8]}}, "no dtype, shape and data_offsets"),
        ({"a": ONE, "b": {**TWO, "shape": "22"}}, "no dtype, shape and data_offsets"),
        ({"a": ONE, "b": {**TWO, "dtype": 5}}, "no dtype, shape and data_offsets"),
        ({"a": ONE, "b": None}, "no dtype, shape and data_offsets"),
        ({}, "no tensor"),
        ({"__metadata__": {"format": "pt"}}, "no tensor"),
        ([], "no tensor"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deep"),
        (b"{", "cannot be read as safetensors"),
        (b"\x80\x04\x95", "cannot be read as safetensors"),
    ],
)
def test_what_the_library_refuses_is_refused_with_a_reason(header: Any, named: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", header)
    with pytest.raises(EncoderError, match=named) as caught:
        read_header(path)
    assert "x.safetensors" in str(caught.value) and len(str(caught.value)) < 400
    assert not library_reads(path)


@pytest.mark.parametrize("data", [b"", b"1234567", b"\xff" * 40, (2**63).to_bytes(8, "little") + b"{}"])
def test_a_length_that_leaves_the_file_is_no_length(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(EncoderError, match=r"x\.safetensors.*cut short, or no safetensors"):
        read_header(tmp_path / "x.safetensors")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    (tmp_path / "x.safetensors").write_bytes(b"cos\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR.")
    with pytest.raises(EncoderError, match="Only safetensors are loaded"):
        read_header(tmp_path / "x.safetensors")
    assert not trap.exists()


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.safetensors")
    with pytest.raises(EncoderError, match="a pipe, not a file"):
        read_header(tmp_path / "x.safetensors")


def test_names_without_end_are_refused_in_time(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", {f"t{n}": ONE for n in range(250_000)})
    started = time.monotonic()
    with pytest.raises(EncoderError, match="250,000 tensors"):
        read_header(path)
    assert time.monotonic() - started < 10
