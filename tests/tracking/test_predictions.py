"""Samples of predictions: few rows, the same items everywhere, as the table that MLflow shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from stilts.fingerprint import Json
from stilts.metrics.metric import metric
from stilts.tracking import predictions
from stilts.tracking.predictions import prediction_table, prediction_tables
from tests.tracking.fake_store import Shape, filled, publish_all, seen


class Files:
    """Examples by language, as an ArtifactStore hands them out."""

    def __init__(self, folder: Path, languages: dict[str, dict[str, list[Any]]]) -> None:
        self._folder = folder
        self._counts = {language: len(columns["item"]) for language, columns in languages.items()}
        for language, columns in languages.items():
            (folder / language).mkdir()
            parquet.write_table(pa.table(columns), folder / language / "examples.parquet")

    def done(self) -> frozenset[str]:
        return frozenset()

    def gone(self, key: str) -> bool:
        return False

    def fetch(self, key: str) -> Path:
        return self._folder / self._language(key)

    def result(self, key: str) -> dict[str, Json]:
        return {"kind": "evaluate", "score": 0.0, "num_items": self._counts[self._language(key)]}

    def _language(self, key: str) -> str:
        return key.rpartition("/")[2].split(".")[1].split("-")[0]


def accuracy(count: int) -> dict[str, list[Any]]:
    right = [float(number % 3 == 0) for number in range(count)]
    items = [f"q{number}" for number in range(count)]
    return {"item": items, "correct": right, "total": [1.0] * count, "prediction": ["a"] * count}


def rows_of(table: bytes) -> list[dict[str, Any]]:
    value = json.loads(table)
    return [dict(zip(value["columns"], row, strict=True)) for row in value["data"]]


def test_every_language_shows_the_same_items_and_at_most_two_hundred(tmp_path: Path) -> None:
    record, _ = filled(Shape(languages=("en", "sw")))
    store = Files(tmp_path, {"en": accuracy(500), "sw": accuracy(500)})
    rows = rows_of(prediction_table(record.replicates[0], metric("accuracy"), store))
    items = {code: [row["item"] for row in rows if row["language"] == code] for code in ("en", "sw")}
    assert items["en"] == items["sw"]
    assert len(items["en"]) == 200
    assert all(row["correct"] == (int(row["item"][1:]) % 3 == 0) for row in rows)


def test_many_languages_share_what_a_browser_can_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "MOST_ROWS", 10)
    record, _ = filled(Shape(languages=("en", "sw")))
    store = Files(tmp_path, {"en": accuracy(50), "sw": accuracy(50)})
    assert len(rows_of(prediction_table(record.replicates[0], metric("accuracy"), store))) == 10


def test_a_sentence_without_entities_where_none_was_found_is_right(tmp_path: Path) -> None:
    record, _ = filled(Shape(languages=("en",)))
    spans = {"tp": [0.0, 1.0, 0.0], "predicted": [0.0, 2.0, 0.0], "gold": [0.0, 1.0, 1.0]}
    store = Files(tmp_path, {"en": {"item": ["a", "b", "c"], **spans, "prediction": ["O", "B-PER B-LOC", "O"]}})
    rows = {row["item"]: row for row in rows_of(prediction_table(record.replicates[0], metric("span_f1"), store))}
    assert [rows[item]["correct"] for item in "abc"] == [True, False, False]
    assert np.isclose(rows["b"]["score"], 200 / 3, atol=1e-3)


def test_one_replicate_of_every_row_wanted_has_a_table(tmp_path: Path) -> None:
    record, fake = filled(Shape(seeds=2, languages=("en", "sw")))
    store = publish_all(fake, record, tmp_path / "store")
    tables = prediction_tables(seen(record, store), {"xnli": {"none", "mnli"}, "udpos": {"none"}})
    assert {key for _, key in tables} == {"none>xnli/t0", "mnli>xnli/i0/t0", "none>udpos/t0"}
    store.drop_files(record.replicates[0].outputs["report"]["sw"], "test")
    assert {key for _, key in prediction_tables(seen(record, store), {"xnli": {"none"}})} == {"none>xnli/t1"}
