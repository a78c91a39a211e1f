"""The token cache gives back what was encoded, and never something else's."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stilts.data import token_cache
from stilts.data.encode import ENCODE_VERSION, encode
from stilts.data.encoded import Encoded, Ragged
from stilts.data.token_cache import cache_key, cached, read_encoded, write_encoded
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Kind, Part, Source
from stilts.tasks.view import DataView
from tests.data.encoding import encoder

TASKS = {
    Kind.CLASSIFICATION: "mnli",
    Kind.TAGGING: "udpos",
    Kind.SPAN_QA: "tydiqa_en",
    Kind.MULTIPLE_CHOICE: "hellaswag",
    Kind.MASKED_LM: "plain",
    Kind.REGRESSION: "stsb",
    Kind.MULTI_LABEL: "multieurlex",
}


def view_of(name: str) -> DataView:
    registry = default_registry()
    train, _ = Resolver(registry, {}, source=Source.TOY).intermediate_views(registry.task(name), train_limit=20)
    return train[0]


def encoded(name: str) -> Encoded:
    from stilts.data.load import load_examples

    task = default_registry().task(name)
    return encode(task.kind, load_examples(view_of(name), {}), encoder(*task.labels, max_length=48))


def same(left: Encoded, right: Encoded) -> bool:
    def equal(a: Any, b: Any) -> bool:
        if isinstance(a, Ragged):
            return np.array_equal(a.values, b.values) and np.array_equal(a.offsets, b.offsets)
        if isinstance(a, np.ndarray):
            return np.array_equal(a, b) and a.dtype == b.dtype and a.shape == b.shape
        return bool(a == b and type(a) is type(b))

    return all(equal(getattr(left, field.name), getattr(right, field.name)) for field in fields(Encoded))


@pytest.mark.parametrize("kind", TASKS)
def test_what_is_written_is_read(kind: Kind, tmp_path: Path) -> None:
    subject = encoded(TASKS[kind])
    write_encoded(tmp_path / "x.arrow", subject)
    assert same(read_encoded(tmp_path / "x.arrow"), subject)


def test_an_empty_view_is_read_too(tmp_path: Path) -> None:
    subject = encode(Kind.TAGGING, [], encoder("A", "B"))
    write_encoded(tmp_path / "x.arrow", subject)
    assert same(read_encoded(tmp_path / "x.arrow"), subject)


def test_a_view_is_encoded_once(tmp_path: Path) -> None:
    calls = []

    def make() -> Encoded:
        calls.append(1)
        return encoded("mnli")

    first, second = (cached(tmp_path / "tokens", "key", make) for _ in range(2))
    assert len(calls) == 1 and same(first, second)
    assert [path.name for path in (tmp_path / "tokens").iterdir()] == ["key.arrow"]
    cached(None, "key", make)
    assert len(calls) == 2, "without a folder nothing is kept"


def test_an_encoding_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Encoded:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cached(tmp_path, "key", broken)
    assert list(tmp_path.iterdir()) == []


def test_the_key_changes_with_whatever_decides_the_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of("mnli")
    base: dict[str, Any] = {"view": view, "tokenizer": "t", "labels": ("a", "b"), "max_length": 64, "doc_stride": 8}
    changes: list[dict[str, Any]] = [
        {"view": replace(view, fingerprint="other")},
        {"view": replace(view, limit=3)},
        {"view": replace(view, part=Part.TENTH)},
        {"view": replace(view, language="de")},
        {"view": replace(view, exclude=(view,))},
        {"tokenizer": "u"},
        {"labels": ("b", "a")},
        {"max_length": 65},
        {"doc_stride": 9},
    ]
    found = [cache_key(**base), *(cache_key(**{**base, **change}) for change in changes)]
    monkeypatch.setattr(token_cache, "ENCODE_VERSION", ENCODE_VERSION + 1)
    found.append(cache_key(**base))
    assert len(set(found)) == len(found)
    monkeypatch.undo()
    assert cache_key(**{**base, "view": replace(view, location={"root": "elsewhere"})}) == found[0]
