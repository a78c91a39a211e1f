"""Examples: what an evaluation keeps of each example, in Parquet. Written and read here alone.

A file is believed as far as its artifact's checksum and its result go: as many rows as the result counts, statistics
that are finite numbers. It is asked how many rows it has before one is read: a few bytes can unfold to billions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.errors import DamagedError
from stilts.ledger.results import evaluation_of
from stilts.metrics.metric import FloatArray
from stilts.store.artifact_store import ArtifactStore
from stilts.store.layout import FILES

# What every output's artifact holds: one row per example.
EXAMPLES_FILE = "examples.parquet"
ITEM_COLUMN, PREDICTION_COLUMN, TRUTH_COLUMN = "item", "prediction", "truth"
# Of questions that may have no answer: columns of the best span and of the logits by which "no answer" beats it.
SPAN_COLUMN, NO_ANSWER_COLUMN = "span", "no_answer"
# Far above what examples take: a few hundred bytes a row, some kilobytes where a pool of twenty is ranked.
_BYTES_OF_A_FILE, _BYTES_OF_A_ROW = 2**24, 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The examples of one evaluation in the order of its data: source items, statistics, predictions, right answers.

    ``rows`` is (examples, columns of the metric). ``truths`` is None in evaluations from before it was kept, and where
    the task has no right answers. ``spans`` and ``differences`` (logits by which "no answer" beats the span) are None
    where every question has an answer.
    """

    items: tuple[str, ...]
    rows: FloatArray
    predictions: tuple[str, ...]
    truths: tuple[str, ...] | None
    spans: tuple[str, ...] | None = None
    differences: FloatArray | None = None

    def with_truths(self, truths: tuple[str, ...]) -> Answered:
        """The same examples with these right answers."""
        return replace(self, truths=truths)


def read_items(store: ArtifactStore, key: str) -> NDArray[np.str_]:
    """The source items of an evaluation's examples, in their order; errors as of ``read_answered``."""
    return np.array(_texts(_table(store, key, [ITEM_COLUMN]), ITEM_COLUMN, key), np.str_)


def read_statistics(store: ArtifactStore, key: str, columns: Sequence[str]) -> tuple[NDArray[np.str_], FloatArray]:
    """Source items, and statistics of shape (examples, columns); errors as of ``read_answered``."""
    table = _table(store, key, [ITEM_COLUMN, *columns])
    return np.array(_texts(table, ITEM_COLUMN, key), np.str_), _numbers(table, columns, key)


def read_predictions(store: ArtifactStore, key: str) -> tuple[str, ...]:
    """The predictions alone, in the order of the examples; errors as of ``read_answered``."""
    return _texts(_table(store, key, [PREDICTION_COLUMN]), PREDICTION_COLUMN, key)


def read_answered(store: ArtifactStore, key: str, columns: Sequence[str]) -> Answered:
    """The examples of one evaluation with the statistics of these columns.

    StoreError where its files are gone, DamagedError where they are altered, lack a column, hold more or fewer rows
    than its result counts, or statistics that are no finite numbers.
    """
    table = _table(store, key, [ITEM_COLUMN, PREDICTION_COLUMN, *columns], whole=True)
    there = set(table.column_names)
    spanned = {SPAN_COLUMN, NO_ANSWER_COLUMN} <= there
    return Answered(
        items=_texts(table, ITEM_COLUMN, key),
        rows=_numbers(table, columns, key),
        predictions=_texts(table, PREDICTION_COLUMN, key),
        truths=_truths(table) if TRUTH_COLUMN in there else None,
        spans=_texts(table, SPAN_COLUMN, key) if spanned else None,
        differences=_numbers(table, [NO_ANSWER_COLUMN], key)[:, 0] if spanned else None,
    )


def write_examples(path: Path, columns: Mapping[str, Any]) -> None:
    """Writes the columns, one value per example each, as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    parquet.write_table(pa.table(dict(columns)), path)


def _table(store: ArtifactStore, key: str, columns: Sequence[str], *, whole: bool = False) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    path = store.fetch(key) / EXAMPLES_FILE
    expected = evaluation_of(store, key).num_items
    try:
        with parquet.ParquetFile(path) as file:
            absent = set(columns) - set(file.schema_arrow.names)
            if absent:
                raise _damaged(key, f"it has no column {', '.join(sorted(absent))}")
            if file.metadata.num_rows != expected:
                raise _damaged(key, f"it has {file.metadata.num_rows} examples where the result counts {expected}")
            if _unpacked_bytes(file.metadata) > _BYTES_OF_A_FILE + _BYTES_OF_A_ROW * expected:
                raise _damaged(key, f"it unfolds to {_unpacked_bytes(file.metadata)} bytes, more than any such file")
            return file.read(columns=None if whole else list(columns))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(key, f"it cannot be read as Parquet ({str(error)[:120]})") from error


def _unpacked_bytes(metadata: Any) -> int:
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return sum(group.column(place).total_uncompressed_size for group in groups for place in range(group.num_columns))


def _texts(table: Any, name: str, key: str) -> tuple[str, ...]:
    try:
        texts = tuple(table[name].to_pylist())
    except UnicodeDecodeError as error:
        raise _damaged(key, f"its column {name} holds no text") from error
    if not all(isinstance(text, str) for text in texts):
        raise _damaged(key, f"its column {name} holds no text")
    return texts


def _truths(table: Any) -> tuple[str, ...] | None:
    truths = table[TRUTH_COLUMN].to_pylist()
    return None if None in truths else tuple(map(str, truths))


def _numbers(table: Any, names: Sequence[str], key: str) -> FloatArray:
    try:
        values = np.column_stack([np.asarray(table[name].to_numpy(), np.float64) for name in names])
    except (TypeError, ValueError) as error:
        raise _damaged(key, f"its statistics {', '.join(names)} are no numbers") from error
    if not np.isfinite(values).all():
        raise _damaged(key, f"its statistics {', '.join(names)} are not all finite")
    return values


def _damaged(key: str, found: str) -> DamagedError:
    return DamagedError(f"{FILES}/{key}/.../{EXAMPLES_FILE}", found)
