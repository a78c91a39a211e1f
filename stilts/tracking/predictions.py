"""A sample of a replicate's predictions as the table that MLflow's UI shows; all of them stay Parquet in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from stilts.analysis.results import StudyResults
from stilts.ledger.examples import read_answered
from stilts.metrics.metric import Metric
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import Replicate

PREDICTIONS_FILE = "predictions.json"
MOST_ROWS_A_LANGUAGE = 200
# The browser loads a table whole: forty languages share this many rows.
MOST_ROWS = 2000
MOST_CHARS = 300


def prediction_tables(results: StudyResults, rows: Mapping[str, set[str]]) -> dict[tuple[str, str], bytes]:
    """By run (identity tag), the table of the first done replicate of every row wanted.

    ``rows`` maps a column to the rows wanted of it. One replicate a cell: its repeats differ by their seed alone.
    """
    done, store, tables, taken = results.view.scored, results.store, {}, set()
    for replicate in results.record.replicates:
        cell, keys = (replicate.row, replicate.column), replicate.outputs.get("report", {})
        wanted = replicate.row in rows.get(replicate.column, ()) and cell not in taken
        if wanted and keys and done.issuperset(keys.values()) and not any(map(store.gone, keys.values())):
            taken.add(cell)
            measure = results.column(replicate.column).measure
            tables["replicate_id", replicate.replicate_id] = prediction_table(replicate, measure, store)
    return tables


def prediction_table(replicate: Replicate, measure: Metric, store: ArtifactStore) -> bytes:
    """JSON of columns and data, as ``mlflow.log_table`` writes it: a few rows of ``report`` in every language.

    Columns: language, item, prediction, correct, score (of this one example, 0 to 100) and the metric's statistics.
    The items are those with the smallest hash, so that languages with the same items, and other replicates, show
    the same ones.
    """
    keys = replicate.outputs.get("report", {})
    count = min(MOST_ROWS_A_LANGUAGE, max(1, MOST_ROWS // max(1, len(keys))))
    columns = ["language", "item", "prediction", "correct", "score", *measure.columns]
    data = [row for language in sorted(keys) for row in _rows(language, keys[language], measure, store, count)]
    return json.dumps({"columns": columns, "data": data}, ensure_ascii=False, separators=(",", ":")).encode()


def _rows(language: str, key: str, measure: Metric, store: ArtifactStore, count: int) -> Iterator[list[object]]:
    found = read_answered(store, key, measure.columns)
    chosen = sorted(range(len(found.items)), key=lambda number: _rank(found.items[number]))[:count]
    sums = {name: found.rows[chosen, number] for number, name in enumerate(measure.columns)}
    scores = np.asarray(measure.score(sums))
    # A sentence without an entity, where none was found, counts nothing and is right.
    right = (scores >= 100) | np.all([values == 0 for values in sums.values()], axis=0)
    for number, place in enumerate(chosen):
        figures = [round(float(values[number]), 4) for values in (scores, *sums.values())]
        yield [language, found.items[place], found.predictions[place][:MOST_CHARS], bool(right[number]), *figures]


@lru_cache(maxsize=100_000)
def _rank(item: str) -> bytes:
    return hashlib.sha256(item.encode("utf-8", "surrogatepass")).digest()
