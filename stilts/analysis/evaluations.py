"""Evaluations: the scores and per-example statistics of a study's outputs, from summaries where there are any.

A column of 20 rows, 5 seeds and 40 languages has 4,000 artifacts and 100 summaries. What cannot be believed, of a
summary or an artifact, is damaged: the other of the two is then read, and where there is none the output has no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stilts.errors import DamagedError, StoreError, UnreadableError
from stilts.ledger.examples import read_items, read_statistics
from stilts.ledger.results import EvaluateResult, Result, evaluation_of, result_of, results_of
from stilts.ledger.summary import SUMMARIES, OutputSummary
from stilts.metrics.metric import Metric
from stilts.metrics.resampling import LanguageRows
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Evaluations:
    """A study's evaluate outputs as the store held them when they were first asked for."""

    record: StudyRecord
    store: ArtifactStore
    _items: dict[str, NDArray[np.str_]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def summaries(self) -> Mapping[str, OutputSummary]:
        """What the stages' summaries hold, by key; damaged ones are passed over, for the artifacts hold it too."""
        stages = [name for name, stage in self.record.stages.items() if stage["kind"] == "evaluate"]
        found = SUMMARIES.several(self.store, stages).values
        return {key: output for summary in found.values() for key, output in summary.outputs.items()}

    @cached_property
    def done(self) -> frozenset[str]:
        """The keys of the replicates' outputs that are done and not damaged."""
        return self._published - self.damaged.keys()

    @cached_property
    def damaged(self) -> Mapping[str, UnreadableError]:
        """What is wrong, by key, with those outputs whose score, or whose examples, cannot be believed."""
        unsummed = sorted(self._published - self.summaries.keys())
        faults = dict(results_of(self.store, unsummed).faults)
        kept = {output.items for output in self.summaries.values() if output.items is not None}
        for digest in sorted(kept):
            faults |= self._find_items(digest)
        unread = {key: self._unreadable(key) for key in unsummed if key not in faults}
        faults |= {key: fault for key, fault in unread.items() if fault is not None}
        return {key: fault.of(self.record.name) for key, fault in faults.items()}

    def is_done(self, key: str) -> bool:
        """Whether an artifact is published, of whatever stage."""
        return key in self.done or self.store.is_done(key)

    def result(self, key: str) -> Result:
        """The result of an artifact that is done; StoreError where it is not, DamagedError where it cannot be read."""
        summary = self.summaries.get(key)
        return result_of(self.store, key) if summary is None else summary.result

    def evaluation(self, key: str) -> EvaluateResult:
        """The result of an evaluate output that is done; errors as of ``result``."""
        summary = self.summaries.get(key)
        return evaluation_of(self.store, key) if summary is None else summary.result

    def rows(self, key: str, metric: Metric) -> LanguageRows:
        """Source items and the metric's statistics of one output, in the order that they were written.

        StoreError where its examples are gone, DamagedError where they are altered or lack a column of the metric.
        """
        summary = self.summaries.get(key)
        values = None if summary is None else summary.values(metric.columns)
        if summary is None or summary.items is None or values is None:
            items, statistics = read_statistics(self.store, key, metric.columns)
            return LanguageRows(items=items, values=statistics)
        if summary.items not in self._items:
            self._items[summary.items] = read_items(self.store, key)
        return LanguageRows(items=self._items[summary.items], values=values)

    @cached_property
    def _published(self) -> frozenset[str]:
        """Outputs that are published; artifacts are listed only where summaries leave gaps."""
        keys = {key for r in self.record.replicates for outputs in r.outputs.values() for key in outputs.values()}
        known = keys & self.summaries.keys()
        return frozenset(known if len(known) == len(keys) else known | (keys & self.store.done()))

    def _find_items(self, digest: str) -> dict[str, UnreadableError]:
        """Reads the source items of a digest from the first artifact that has them whole.

        Equal digests mean equal items, so one artifact's list serves every replicate of the language. Where none can
        be read, what is wrong with each.
        """
        faults: dict[str, UnreadableError] = {}
        for key, output in self.summaries.items():
            if output.items == digest:
                try:
                    self._items[digest] = read_items(self.store, key)
                    return {}
                except UnreadableError as fault:
                    faults[key] = fault
                except StoreError as gone:
                    faults[key] = DamagedError(f"files/{key}", gone.found)
        return faults

    def _unreadable(self, key: str) -> UnreadableError | None:
        try:
            read_items(self.store, key)
        except UnreadableError as fault:
            return fault
        except StoreError as gone:
            return DamagedError(f"files/{key}", gone.found)
        return None
