"""What a retrieval is given beside its own examples: the pool that it asks, and the threshold that others chose."""

from __future__ import annotations

from dataclasses import dataclass, field

from stilts.execute.threshold import published_threshold
from stilts.fingerprint import Json
from stilts.kinds.prepare import Preparation
from stilts.kinds.retrieved import Pool, RetrievalSearch
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.ledger.results import EvaluateResult
from stilts.store.artifact_store import ArtifactStore
from stilts.study.stage import EvaluateItem, EvaluateStage
from stilts.tasks.view import DataView
from stilts.training.selection import embedded_pool, score_view


@dataclass(kw_only=True)
class Searches:
    """Searches of one evaluate stage: a pool is embedded once, a threshold chosen once."""

    stage: EvaluateStage
    store: ArtifactStore
    scorer: Scorer
    prepared: Preparation
    _pools: dict[tuple[str, ...], Pool] = field(default_factory=dict)
    _thresholds: dict[str, float | None] = field(default_factory=dict)

    def of(self, item: EvaluateItem) -> RetrievalSearch:
        """What the item is asked with; the work for it is done here where it was not done before."""
        return RetrievalSearch(pool=self._pool(item.pool), threshold=self._threshold(item.calibration))

    def _pool(self, views: tuple[DataView, ...]) -> Pool | None:
        if not views:
            return None
        key = tuple(view.digest for view in views)
        if key not in self._pools:
            self._pools[key] = embedded_pool(self.scorer, self.stage.task, self.stage.config, views, self.prepared)
        return self._pools[key]

    def _threshold(self, view: DataView | None) -> float | None:
        if view is None:
            return None
        if view.digest not in self._thresholds:
            published = published_threshold(self.stage, self.store, {view.digest}, _mined_by)
            self._thresholds[view.digest] = self._chosen(view) if published is None else published
        return self._thresholds[view.digest]

    def _chosen(self, view: DataView) -> float | None:
        return score_view(self.scorer, self.stage.task, self.stage.config, view, self.prepared)[2].threshold


def _mined_by(result: EvaluateResult) -> float | None:
    return None if result.calibration is None else result.calibration.threshold


def calibration(item: EvaluateItem, scored: Scored) -> dict[str, Json]:
    """The result's field on its threshold; nothing where there is none."""
    if scored.threshold is None:
        return {}
    on = item.calibration or item.view
    where = {"dataset": on.dataset, "split": on.split, "part": on.part.value, "language": on.language}
    return {"calibration": {"threshold": scored.threshold, "on": {**where, "digest": on.digest}}}
