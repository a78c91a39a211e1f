"""Evaluations: the scores and per-example statistics of a study's outputs, from summaries where there are any.

A column of 20 rows, 5 seeds and 40 languages has 4,000 artifacts and 100 summaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stilts.errors import StoreError
from stilts.fingerprint import Json
from stilts.metrics.metric import Metric
from stilts.metrics.resampling import LanguageRows
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import StudyRecord
from stilts.study.summary import EXAMPLES_FILE, OutputSummary, read_summary, summary_record


@dataclass(frozen=True, kw_only=True)
class Evaluations:
    """A study's evaluate outputs as the store held them when they were first asked for."""

    record: StudyRecord
    store: ArtifactStore
    _items: dict[str, NDArray[np.str_]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def summaries(self) -> Mapping[str, OutputSummary]:
        """What the stages' summaries hold, by key."""
        stages = [name for name, stage in self.record.stages.items() if stage["kind"] == "evaluate"]
        found = self.store.named_records([summary_record(stage_id) for stage_id in stages])
        return {key: output for value in found.values() for key, output in read_summary(value).items()}

    @cached_property
    def done(self) -> frozenset[str]:
        """The keys of the replicates' outputs that are done; artifacts are listed only where summaries leave gaps."""
        keys = {key for r in self.record.replicates for outputs in r.outputs.values() for key in outputs.values()}
        known = keys & self.summaries.keys()
        return frozenset(known if len(known) == len(keys) else known | (keys & self.store.done()))

    def is_done(self, key: str) -> bool:
        """Whether an artifact is published, of whatever stage."""
        return key in self.done or self.store.is_done(key)

    def result(self, key: str) -> Mapping[str, Json]:
        """The result of an artifact that is done; of an evaluate output score, parts, num_items, chance and times."""
        summary = self.summaries.get(key)
        return self.store.result(key) if summary is None else summary.result

    def rows(self, key: str, metric: Metric) -> LanguageRows:
        """Source items and the metric's statistics of one output, in the order that they were written.

        StoreError where its examples are gone, or lack a column of the metric.
        """
        summary = self.summaries.get(key)
        values = None if summary is None else summary.values(metric.columns)
        if summary is None or summary.items is None or values is None:
            return _stored_rows(key, metric, self.store)
        if summary.items not in self._items:
            # Equal digests mean equal items, so one artifact's list serves every replicate of the language.
            self._items[summary.items] = _stored_items(key, self.store)
        return LanguageRows(items=self._items[summary.items], values=values)


def _stored_items(key: str, store: ArtifactStore) -> NDArray[np.str_]:
    import pyarrow.parquet as parquet

    table = parquet.read_table(_examples(key, store), columns=["item"])
    return np.array(table["item"].to_pylist(), np.str_)


def _stored_rows(key: str, metric: Metric, store: ArtifactStore) -> LanguageRows:
    import pyarrow.parquet as parquet

    path = _examples(key, store)
    columns = ["item", *metric.columns]
    absent = set(columns) - set(parquet.read_schema(path).names)
    if absent:
        raise StoreError(
            f'examples of "{key}"',
            f"no column {', '.join(sorted(absent))} in {EXAMPLES_FILE}",
            f'The metric "{metric.name}" is resampled from them',
            "Delete the artifact and run the study again",
        )
    table = parquet.read_table(path, columns=columns)
    values = np.column_stack([table[name].to_numpy() for name in metric.columns])
    return LanguageRows(items=np.array(table["item"].to_pylist(), np.str_), values=values.astype(np.float64))


def _examples(key: str, store: ArtifactStore) -> Path:
    return store.fetch(key) / EXAMPLES_FILE
