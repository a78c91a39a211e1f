"""Summary of an evaluate stage: all its outputs' scores and per-example statistics in one record.

A target in 40 languages has 40 artifacts. Reports need a little of each, so the stage also writes one record with
all of it, after its outputs are published. It is made from them and can be missing or incomplete (a killed worker, an
older store): a reader then reads the artifacts themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import with_config

from stilts.errors import InputError
from stilts.ledger.examples import read_statistics
from stilts.ledger.records import RecordKind
from stilts.ledger.results import EvaluateResult, evaluation_of
from stilts.metrics.item_scores import digest_of_items
from stilts.metrics.metric import FloatArray
from stilts.metrics.packed_rows import pack, unpack
from stilts.store.artifact_store import ArtifactStore
from stilts.study.strict import STRICT, Count, Finite, Seconds

# Beyond this many examples an output's statistics stay in its artifact alone, so that a summary stays small.
MOST_EXAMPLES = 50_000


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSummary:
    """One output: what reports need of its result, and its examples' statistics by column.

    ``items`` is a digest of the source items in order (equal digests: equal items); None, and ``rows`` empty, for more
    than ``MOST_EXAMPLES`` examples.
    """

    score: Finite | None
    num_items: Count
    parts: Mapping[str, Finite] = field(default_factory=dict)
    chance: Finite | None = None
    seconds: Seconds = 0.0
    started: Seconds | None = None
    ended: Seconds | None = None
    items: str | None = None
    rows: Mapping[str, Finite | str] = field(default_factory=dict)

    @property
    def result(self) -> EvaluateResult:
        """What it says of the output's result."""
        return EvaluateResult(
            score=self.score,
            num_items=self.num_items,
            parts=self.parts,
            chance=self.chance,
            seconds=self.seconds,
            started=self.started,
            ended=self.ended,
        )

    def values(self, columns: Sequence[str]) -> FloatArray | None:
        """Statistics, shape (examples, columns); None where this summary does not hold them as finite numbers."""
        if self.items is None or not set(columns) <= self.rows.keys():
            return None
        try:
            values = np.column_stack([unpack(self.rows[name], self.num_items) for name in columns])
        except InputError:
            return None
        return values if np.isfinite(values).all() else None


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The record of an evaluate stage: its outputs' summaries by key."""

    outputs: Mapping[str, OutputSummary]
    version: Literal[1] = 1


SUMMARIES = RecordKind(type=Summary, template="summaries/{}")


def summarise(
    result: EvaluateResult, items: Sequence[str] | NDArray[np.str_], rows: Mapping[str, FloatArray]
) -> OutputSummary:
    """The summary of one output, given its source items and the columns of its examples' statistics."""
    small = len(items) <= MOST_EXAMPLES
    return OutputSummary(
        score=result.score,
        num_items=result.num_items,
        parts=dict(result.parts),
        chance=result.chance,
        seconds=result.seconds,
        started=result.started,
        ended=result.ended,
        items=digest_of_items(items) if small else None,
        rows={name: pack(values) for name, values in rows.items()} if small else {},
    )


def output_summary(store: ArtifactStore, key: str, columns: Sequence[str]) -> OutputSummary:
    """The summary of one published output; StoreError where its files are gone, DamagedError where they are altered."""
    items, rows = read_statistics(store, key, columns)
    return summarise(evaluation_of(store, key), items, {name: rows[:, number] for number, name in enumerate(columns)})
