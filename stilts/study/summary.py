"""Summary of an evaluate stage: all its outputs' scores and per-example statistics in one record.

A target in 40 languages has 40 artifacts. Reports need a little of each, so the stage also writes one record with
all of it, after its outputs are published. It is made from them and can be missing or incomplete (a killed worker, an
older store): a reader then reads the artifacts themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stilts.fingerprint import Json
from stilts.metrics.metric import FloatArray
from stilts.metrics.packed_rows import pack, unpack

# What every output's artifact holds: one row per example.
EXAMPLES_FILE = "examples.parquet"
# Of questions that may have no answer: columns of the best span and of the logits by which "no answer" beats it, and
# where the result has the threshold above which none is given.
SPAN_COLUMN, NO_ANSWER_COLUMN, THRESHOLD = "span", "no_answer", "no_answer_threshold"
# Beyond this many examples an output's statistics stay in its artifact alone, so that a summary stays small.
MOST_EXAMPLES = 50_000
_KEPT = ("score", "parts", "num_items", "chance", "seconds", "started", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSummary:
    """One output: its key, what reports need of its result, and its examples' statistics by column.

    ``items`` is a digest of the source items in order (equal digests: equal items); None, and ``rows`` empty, for more
    than ``MOST_EXAMPLES`` examples.
    """

    key: str
    result: Mapping[str, Json]
    items: str | None
    rows: Mapping[str, Json]

    @property
    def num_examples(self) -> int:
        """How many examples were scored."""
        return int(str(self.result["num_items"]))

    def values(self, columns: Sequence[str]) -> FloatArray | None:
        """Statistics, shape (examples, columns); None where this summary does not hold them."""
        if self.items is None or not set(columns) <= self.rows.keys():
            return None
        return np.column_stack([unpack(self.rows[name], self.num_examples) for name in columns])


def summary_record(stage_id: str) -> str:
    """The name of the record that holds a stage's summary."""
    return f"summaries/{stage_id}"


def summarise(key: str, result: Mapping[str, Json], items: Sequence[str], rows: Mapping[str, FloatArray]) -> Json:
    """One output as JSON: the value of its key in the record."""
    small = len(items) <= MOST_EXAMPLES
    return {
        **{name: result.get(name) for name in _KEPT},
        "items": digest_of_items(items) if small else None,
        "rows": {name: pack(values) for name, values in rows.items()} if small else {},
    }


def digest_of_items(items: Sequence[str] | NDArray[np.str_]) -> str:
    """16 hex digits that differ where the items, or their order, do."""
    return hashlib.sha256("\0".join(items).encode()).hexdigest()[:16]


def read_summary(value: Json) -> dict[str, OutputSummary]:
    """The outputs of a summary record by key; {} for anything that is not one."""
    outputs = value.get("outputs") if isinstance(value, dict) else None
    if not isinstance(outputs, dict):
        return {}
    return {
        key: OutputSummary(
            key=key,
            result={name: found.get(name) for name in _KEPT},
            items=cast("str | None", found.get("items")),
            rows=cast("Mapping[str, Json]", found.get("rows") or {}),
        )
        for key, found in outputs.items()
        if isinstance(found, dict) and isinstance(found.get("num_items"), int)
    }
