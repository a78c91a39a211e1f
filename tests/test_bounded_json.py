"""JSON from outside: Python's parser reads it, and what is too deep or too much is one message with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts import bounded_json
from stilts.bounded_json import DEEPEST, parsed_json
from stilts.errors import DataError

PATH = Path("data.json")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['[{"', "\\", '"', "]]]]", '\\\\"']),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans())
def test_what_json_says_is_read(value: Any, ascii_only: bool) -> None:
    assert parsed_json(json.dumps(value, ensure_ascii=ascii_only), PATH) == value


@given(VALUES)
def test_the_depth_is_counted_without_making_a_value(value: Any) -> None:
    """Brackets within strings open nothing."""
    text = json.dumps(value)
    assert bounded_json._depth(bounded_json._STRING.sub("", text)) == depth(value)


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a": ', "}"), ('[{"a":', "}]")])
def test_depth_is_bounded(opened: str, closed: str) -> None:
    levels = DEEPEST // (opened.count("[") + opened.count("{"))
    assert depth(parsed_json(opened * levels + "[]"[:0] + "1" + closed * levels, PATH)) == DEEPEST
    for deep in (levels + 1, 200_000):
        with pytest.raises(DataError, match=r"data\.json, line 3: the JSON is nested more than 128 deep"):
            parsed_json("\n\n" + opened * deep + "1" + closed * deep, PATH)
    with pytest.raises(DataError, match="line 7: the JSON is nested"):
        parsed_json("[" * 200_000, PATH, first_line=7)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    text = json.dumps([["[[[[" * 100, {"a": [1]}]] * 500)
    assert len(parsed_json(text, PATH)) == 500


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_json, "MOST_VALUES", 1000)
    assert parsed_json(json.dumps(["a, [b], {c}" * 400]), PATH), "text is not counted"
    assert len(parsed_json(json.dumps([1] * 900), PATH)) == 900
    for value in ([1] * 1100, [[]] * 600, [{}] * 600, {str(n): [] for n in range(600)}):
        with pytest.raises(DataError, match="holds more than 1,000 values"):
            parsed_json(json.dumps(value), PATH)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":\n 1,}', "line 2: not JSON: .* at character"),
        ("", "line 1: not JSON"),
        ('["abc', "line 1: not JSON: Unterminated string"),
        ("9" * 5000, "line 1: not to be read as JSON"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parsed_json(text, PATH)
