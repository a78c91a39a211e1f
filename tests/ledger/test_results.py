"""Results: typed by the kind of their stage; one that is of another shape is damaged, never a number."""

from __future__ import annotations

from typing import Any

import pytest

from stilts.errors import DamagedError, StoreError
from stilts.ledger.results import EvaluateResult, evaluation_of, result_of, results_of, typed_result
from stilts.store import Store, make_store
from stilts.store.seal import seal
from tests.contracts.store_contract import fill

TRAIN, OUTPUT, ESTIMATE = "train-a-0123456789ab", "evaluate-a-0123456789ab/report.de", "estimate-a-0123456789ab"
GOOD: dict[str, dict[str, Any]] = {
    TRAIN: {"seconds": 2.0, "steps": 10, "kept_step": 5, "curve": [[1, 0.5]], "started": 1.0},
    OUTPUT: {"score": 43.0, "num_items": 300, "parts": {"f1": 50.0}, "chance": None, "seconds": 1.0},
    ESTIMATE: {"value": [0.5, 1.0], "seconds": 1.0},
}
WRONG = ("43", [43.0], {"": 1}, True, 10**400, float("nan"), float("inf"), -float("inf"), 1e300)


@pytest.mark.parametrize("key", GOOD)
def test_a_result_may_carry_more_than_anyone_reads(key: str) -> None:
    assert typed_result(key, GOOD[key]) == typed_result(key, {**GOOD[key], "stats": {"a": 1.0}, "invented": [1]})


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize(
    ("key", "field"),
    [
        *((TRAIN, "seconds"), (TRAIN, "steps"), (TRAIN, "started"), (OUTPUT, "score"), (OUTPUT, "num_items")),
        *((OUTPUT, "chance"), (OUTPUT, "seconds"), (ESTIMATE, "seconds")),
    ],
)
def test_a_figure_of_another_shape_is_damaged(key: str, field: str, wrong: Any) -> None:
    with pytest.raises(DamagedError, match=rf"stages/{key}/done.json.*{field}"):
        typed_result(key, {**GOOD[key], field: wrong})


@pytest.mark.parametrize("field", ["score", "num_items"])
def test_an_evaluation_without_its_score_is_damaged(field: str) -> None:
    fields = {name: value for name, value in GOOD[OUTPUT].items() if name != field}
    with pytest.raises(DamagedError, match=field):
        typed_result(OUTPUT, fields)


@pytest.mark.parametrize("wrong", [-1, 0.5, 10**9, None])
def test_numbers_of_examples_are_counts(wrong: Any) -> None:
    with pytest.raises(DamagedError, match="num_items"):
        typed_result(OUTPUT, {**GOOD[OUTPUT], "num_items": wrong})


def test_a_key_of_no_kind_has_no_result() -> None:
    with pytest.raises(StoreError, match="train-, evaluate- or estimate-"):
        typed_result("other-a-0123456789ab", {})


@pytest.fixture
def store(tmp_path: Any) -> Store:
    """A store in which one of each kind is published."""
    store = make_store(str(tmp_path / "store"))
    for key, result in GOOD.items():
        with store.lease(key.partition("/")[0]) as lease:
            store.publish(key, fill(tmp_path / key.replace("/", "_"), file="x"), payload={}, result=result, lease=lease)
    return store


def test_what_is_damaged_comes_apart_from_what_is_good(store: Store) -> None:
    assert results_of(store, [*GOOD, "train-b-0123456789ab"]).values == {
        key: typed_result(key, result) for key, result in GOOD.items()
    }
    path = f"stages/{OUTPUT}/done.json"
    data = store.backend.read(path) or b""
    store.backend.replace(path, data.replace(b"43.0", b"99.0"))
    found = results_of(store, list(GOOD))
    assert set(found.values) == {TRAIN, ESTIMATE} and set(found.faults) == {OUTPUT}
    with pytest.raises(DamagedError, match="checksum"):
        result_of(store, OUTPUT)


@pytest.mark.parametrize(
    "fields",
    [
        *({}, {"attempt": "../../../victim"}, {"attempt": "attempt-" + "0" * 16}, {"files": []}, {"files": "x"}),
        *({"files": [{"path": "../x", "bytes": 1, "sha256": "sha256:" + "0" * 64}]}, {"result": None}),
        *({"payload": []}, {"published": "now"}, {"published": float("nan")}, {"published": 10**400}),
        *({"files": [{"path": "x", "bytes": -1, "sha256": "sha256:" + "0" * 64}]}, {"files": [1]}, {"result": []}),
        {"files": [{"path": "x", "bytes": 10**400, "sha256": "sha256:" + "0" * 64}]},
    ],
)
def test_a_publication_of_another_shape_is_damaged(fields: dict[str, Any], store: Store) -> None:
    path = f"stages/{OUTPUT}/done.json"
    good = store.documents.value(path) or {}
    for spoiled in (fields, {**good, **fields} if fields and fields != {"attempt": "attempt-" + "0" * 16} else {}):
        store.backend.replace(path, seal(path, spoiled))
        assert list(results_of(store, [OUTPUT]).faults) == [OUTPUT]
        with pytest.raises(DamagedError):
            store.fetch(OUTPUT)


def test_what_is_no_evaluation_is_named(store: Store) -> None:
    assert isinstance(evaluation_of(store, OUTPUT), EvaluateResult)
    with pytest.raises(StoreError, match="no evaluation"):
        evaluation_of(store, TRAIN)
