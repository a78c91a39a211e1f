"""Seals: what agrees is read, whatever else is damaged, in bounded time, before anything is parsed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.errors import DamagedError, StoreError
from stilts.store.seal import DEEPEST, is_sealed, parse, seal, sealed, unseal

PATH = "records/a.json"
OBJECTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    ),
    max_size=4,
)


@given(value=OBJECTS.filter(lambda value: "\ud800" not in str(value)))
def test_what_is_sealed_comes_back(value: dict[str, Any]) -> None:
    data = seal(PATH, value)
    assert is_sealed(data) and parse(PATH, unseal(PATH, data, required=True)) == value


@given(value=OBJECTS, place=st.integers(0), bit=st.integers(0, 7))
def test_whatever_bit_flips_is_told(value: dict[str, Any], place: int, bit: int) -> None:
    data = bytearray(seal(PATH, value))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(DamagedError, match=PATH):
        unseal(PATH, bytes(data), required=True)


@pytest.mark.parametrize("length", [0, 1, 40, 78])
def test_a_torn_file_is_damaged(length: int) -> None:
    with pytest.raises(DamagedError):
        unseal(PATH, seal(PATH, {"score": 43})[:length], required=True)


def test_a_seal_is_of_its_path() -> None:
    with pytest.raises(DamagedError, match="checksum"):
        unseal("records/b.json", seal(PATH, {"score": 43}), required=True)


def test_a_file_without_a_seal_is_taken_only_where_there_were_none() -> None:
    assert unseal(PATH, b'{"score":43}', required=False) == b'{"score":43}'
    with pytest.raises(DamagedError, match="no checksum"):
        unseal(PATH, b'{"score":43}', required=True)


def test_an_empty_object_has_a_seal_too() -> None:
    assert unseal(PATH, seal(PATH, {}), required=True) == b"{}" and seal(PATH, {}) == sealed(PATH, b"{}")


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":['])
def test_json_nested_without_end_is_told_at_once(opening: str) -> None:
    start = time.process_time()
    with pytest.raises(DamagedError, match="nested"):
        parse(PATH, b'{"a":' + opening.encode() * 200_000)
    assert time.process_time() - start < 2.0


def test_brackets_within_texts_nest_nothing() -> None:
    assert parse(PATH, json.dumps({"a": "[" * 200, "b": '"[\\' * 100}).encode()) == {"a": "[" * 200, "b": '"[\\' * 100}
    deep: Any = 1
    for _ in range(DEEPEST - 1):
        deep = [deep]
    assert parse(PATH, json.dumps({"a": deep}).encode()) == {"a": deep}
    with pytest.raises(DamagedError, match="nested"):
        parse(PATH, json.dumps({"a": [deep]}).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b'"a"', b"null", b"{", b"\xff{}", b'{"a":1}{}', b'{"a":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_object_is_damaged(body: bytes) -> None:
    with pytest.raises(DamagedError, match=PATH):
        parse(PATH, body)


@pytest.mark.parametrize("value", [{"a": object()}, {"a": {1, 2}}, {"a": b"x"}])
def test_what_is_no_json_is_not_written(value: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="plain JSON"):
        seal(PATH, value)
