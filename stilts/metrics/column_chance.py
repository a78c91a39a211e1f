"""What chance does to a whole column: items that all rows share, and seeds, whose one variance is pooled over rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stilts.metrics.best_row import TrueScores, true_scores
from stilts.metrics.metric import FloatArray
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import two_sided_p


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChance:
    """What chance does to the scores of a column: centred draws over items, and what the seeds add.

    ``items`` has shape (rows, draws); ``seeds`` (rows,) are variances of the means from one pooled seed variance
    with ``df`` degrees of freedom. ``conditional``: seeds matter and nothing is known of them.
    """

    items: FloatArray
    seeds: FloatArray
    df: int
    conditional: bool

    @classmethod
    def of(cls, cells: Mapping[str, Side]) -> ColumnChance:
        """The chance behind the rows of one column, resampled together."""
        sides = list(cells.values())
        seeded = [side for side in sides if not side.deterministic]
        known = [side.seeds for side in seeded if side.seeds.df]
        df = sum(seeds.df for seeds in known)
        pooled = sum(seeds.df * seeds.value for seeds in known) / df if df else 0.0
        return cls(
            items=np.array([side.mean_draws - side.mean_draws.mean() for side in sides]),
            seeds=np.array([0.0 if s.deterministic else pooled / max(s.seeds.units, 1) for s in sides]),
            df=df,
            conditional=bool(seeded) and not known,
        )

    def noise(self, stream: np.random.Generator) -> FloatArray:
        """Centred draws of the scores, items and seeds together, shape (rows, draws)."""
        draws = self.items.shape[1]
        scale = np.sqrt(self.df / stream.chisquare(self.df, draws)) if self.df else np.ones(draws)
        return self.items + stream.standard_normal(self.items.shape) * np.sqrt(self.seeds)[:, None] * scale

    def variances(self) -> FloatArray:
        """Variances of the rows' differences, shape (rows, rows)."""
        by_items = (self.items[:, None] - self.items[None]).var(axis=2, ddof=1)
        return np.asarray(by_items + self.seeds[:, None] + self.seeds[None])

    def p_value(self, difference: float, row: int, baseline: int) -> float:
        """Two-sided, for a difference of 0 between two rows by place, each with the column's seed variance."""
        error = float(np.sqrt(self.variances()[row, baseline]))
        return two_sided_p(difference, error, self.df or None)

    def covariance(self) -> FloatArray:
        """Covariance of the rows' scores under resampled items, shape (rows, rows)."""
        return np.atleast_2d(np.cov(self.items))

    def true_scores(self, means: FloatArray, stream: np.random.Generator) -> TrueScores:
        """Draws of what the rows' true scores may be, given the observed ``means`` (rows,)."""
        return true_scores(means, self.covariance(), self.seeds, self.df, stream)
