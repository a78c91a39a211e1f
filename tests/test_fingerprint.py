"""Canonical JSON: equal values give equal bytes, and what has no stable form is refused with its place."""

from __future__ import annotations

import json
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.errors import FingerprintError
from stilts.fingerprint import canonical_json, digest, plain


class Colour(StrEnum):
    RED = "red"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_plain_json_stays_what_it_is(value: Any) -> None:
    assert plain(value) == value
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(turned) and digest(value) == digest(turned)


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ((1, 2), [1, 2]),
        (Colour.RED, "red"),
        ({Colour.RED: Colour.RED}, {"red": "red"}),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        (-0.0, 0.0),
    ],
)
def test_what_means_the_same_is_the_same(value: Any, same: Any) -> None:
    assert plain(value) == same and canonical_json(value) == canonical_json(same)
    assert type(plain(value)) is type(same)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {2}]}, r"payload\.a\[1\]: a set"),
        ({"a": {"b": float("nan")}}, r"payload\.a\.b: a float"),
        ({"a": ({"b": object},)}, r"payload\.a\[0\]\.b"),
        ({1: 2}, r"payload \(a key\): a int"),
        ([float("inf")], r"payload\[0\]: a float"),
        (lambda: 1, "payload: a function"),
    ],
)
def test_what_has_no_stable_form_is_refused_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(FingerprintError, match=place):
        canonical_json(value)
