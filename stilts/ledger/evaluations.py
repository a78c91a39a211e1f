"""Evaluations: the scores and per-example statistics of published outputs, from summaries where there are any.

A column of 20 rows, 5 seeds and 40 languages has 4,000 artifacts and 100 summaries. What cannot be believed, of a
summary or an artifact, is damaged: the other of the two is then read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stilts.errors import DamagedError, StoreError, UnreadableError
from stilts.ledger.examples import read_items, read_statistics
from stilts.ledger.results import EvaluateResult, evaluation_of, results_of
from stilts.ledger.summary import SUMMARIES, OutputSummary
from stilts.metrics.metric import Metric
from stilts.metrics.resampling import LanguageRows
from stilts.store.artifact_store import ArtifactStore


@dataclass(frozen=True, kw_only=True)
class Evaluations:
    """Reads each published evaluation once, for what is published never changes; first the summaries of ``stages``."""

    store: ArtifactStore
    stages: Sequence[str] = ()
    _read: dict[str, EvaluateResult] = field(default_factory=dict, repr=False, compare=False)
    _items: dict[str, NDArray[np.str_]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def summaries(self) -> Mapping[str, OutputSummary]:
        """What the stages' summaries hold, by key; damaged ones are passed over, for the artifacts hold it too."""
        found = SUMMARIES.several(self.store, self.stages).values
        return {key: output for summary in found.values() for key, output in summary.outputs.items()}

    def result(self, key: str) -> EvaluateResult:
        """The result of an output that is done; StoreError where it is not, DamagedError where it cannot be read."""
        if key not in self._read:
            summary = self.summaries.get(key)
            self._read[key] = evaluation_of(self.store, key) if summary is None else summary.result
        return self._read[key]

    def scores(self, keys: Mapping[str, str]) -> dict[str, float]:
        """The scores, 0 to 100, of outputs by language that are done and have one; errors as of ``result``."""
        found = {language: self.result(key).score for language, key in keys.items()}
        return {language: score for language, score in found.items() if score is not None}

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

    def faults(self, published: Collection[str]) -> Mapping[str, UnreadableError]:
        """What is wrong, by key, with those of the published outputs whose score or examples cannot be believed."""
        unsummed = sorted(set(published) - self.summaries.keys())
        faults = dict(results_of(self.store, unsummed).faults)
        kept = {output.items for output in self.summaries.values() if output.items is not None}
        for digest in sorted(kept):
            faults |= self._find_items(digest)
        for key in (key for key in unsummed if key not in faults):
            if isinstance(found := _items_of(self.store, key), UnreadableError):
                faults[key] = found
        return faults

    def _find_items(self, digest: str) -> dict[str, UnreadableError]:
        """Reads the source items of a digest from the first artifact that has them whole.

        Equal digests mean equal items, so one artifact's list serves every replicate of the language. Where none can
        be read, what is wrong with each.
        """
        faults: dict[str, UnreadableError] = {}
        for key, output in self.summaries.items():
            if output.items == digest:
                found = _items_of(self.store, key)
                if not isinstance(found, UnreadableError):
                    self._items[digest] = found
                    return {}
                faults[key] = found
        return faults


def _items_of(store: ArtifactStore, key: str) -> NDArray[np.str_] | UnreadableError:
    """The source items of an output that is done, or what is wrong with them."""
    try:
        return read_items(store, key)
    except UnreadableError as fault:
        return fault
    except StoreError as gone:
        return DamagedError(f"files/{key}", gone.found)
