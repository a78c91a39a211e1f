"""One column's cells under resampled test items: replicates' rows in, scores with their draws out.

Items are resampled as *source items* (a question with its paragraph, all translations together), one draw for all
languages, rows and replicates, so that every difference between cells is paired. What the seeds add is not
resampled but estimated: see ``SeedVariance``, and ``uncertainty.py`` for how the two are joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stilts.errors import InputError
from stilts.metrics.metric import FloatArray, Metric

_BLOCK = 100  # draws weighted at a time: 100 x 20,000 items are 16 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageRows:
    """One language of one replicate: source item of each example, and its sufficient statistics.

    ``items`` has shape (examples,) and may repeat an item; ``values`` has shape (examples, columns of the metric).
    """

    items: NDArray[np.str_]
    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicateRows:
    """One replicate's per-example statistics by language, with its two seeds.

    A seed is None where there was nothing to seed: the intermediate's in the row ``none``, the target's where a target
    is not trained. Replicates that share an intermediate seed are not independent.
    """

    intermediate_seed: int | None
    target_seed: int | None
    languages: Mapping[str, LanguageRows]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One cell: its replicates' scores as they are and under resampled items.

    ``scores`` has shape (replicates, languages), ``draws`` (replicates, languages, draws), in 0..100. Cells to be
    compared must come from one call of ``resample``.
    """

    intermediate_seeds: tuple[int | None, ...]
    target_seeds: tuple[int | None, ...]
    languages: tuple[str, ...]
    scores: FloatArray
    draws: FloatArray

    def of(self, languages: Sequence[str]) -> Side:
        """The same replicates scored in some of the languages alone, in the order given."""
        at = [self.languages.index(language) for language in languages]
        return Side(
            intermediate_seeds=self.intermediate_seeds,
            target_seeds=self.target_seeds,
            languages=tuple(languages),
            scores=self.scores[:, at],
            draws=self.draws[:, at],
        )

    @cached_property
    def clusters(self) -> tuple[tuple[int, ...], ...]:
        """Indices of replicates that share an intermediate seed; in the row ``none`` each stands alone."""
        groups: dict[object, list[int]] = {}
        for index, seed in enumerate(self.intermediate_seeds):
            groups.setdefault(("none", index) if seed is None else seed, []).append(index)
        return tuple(tuple(group) for group in groups.values())

    @cached_property
    def deterministic(self) -> bool:
        """Whether no seed bears on the score (an untrained target under the row ``none``)."""
        return all(seed is None for seed in (*self.intermediate_seeds, *self.target_seeds))

    @cached_property
    def is_one_model(self) -> bool:
        """Whether seeds bear on the score and there is one of them, so that nothing is known of their spread."""
        return not self.deterministic and not self.seeds.df

    @cached_property
    def mean(self) -> float:
        """The cell's score: mean over languages, over target seeds within an intermediate seed, then over those."""
        return float(self._units[0].mean())

    @cached_property
    def mean_draws(self) -> FloatArray:
        """The cell's score under each draw of items, shape (draws,)."""
        return np.asarray(self._units[1].mean(axis=0))

    @cached_property
    def seeds(self) -> SeedVariance:
        """What the seeds add to the variance of the cell's score, and how far that is known."""
        if self.deterministic:
            return SeedVariance(value=0.0, sample=0.0, units=0, df=0, condition=None)
        units, draws = self._units
        if len(units) < 2:
            given = "the seed of its only replicate"
            return SeedVariance(value=0.0, sample=0.0, units=1, df=0, condition=given)
        sample = float(units.var(ddof=1))
        by_items = float((draws - draws.mean(axis=0)).var(axis=1, ddof=1).sum() / (len(units) - 1))
        one = len(self.clusters) == 1 and self.intermediate_seeds[0] is not None
        return SeedVariance(
            value=max(0.0, sample - by_items),
            sample=sample,
            units=len(units),
            df=len(units) - 1,
            condition=f"intermediate seed {self.intermediate_seeds[0]}, the only one" if one else None,
        )

    @cached_property
    def _units(self) -> tuple[FloatArray, FloatArray]:
        """Scores (units,) and draws (units, draws) of what varies independently: clusters, or within the only one."""
        scores, draws = self.scores.mean(axis=1), self.draws.mean(axis=1)
        if len(self.clusters) == 1:
            return scores, draws
        groups = [list(group) for group in self.clusters]
        return np.array([scores[g].mean() for g in groups]), np.array([draws[g].mean(axis=0) for g in groups])


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedVariance:
    """Variance between seeds, in squared points, of one replicate (or of one intermediate seed's mean).

    ``sample`` is the plain sample variance, ``value`` the same less what item sampling explains; ``units`` counts the
    independent scores behind it. ``condition`` says on which seed the cell's score is conditional, if it is.
    """

    value: float
    sample: float
    units: int
    df: int
    condition: str | None

    @property
    def of_mean(self) -> float:
        """What the seeds add to the variance of the mean, in squared points."""
        return self.value / self.units if self.units else 0.0


def resample(
    cells: Mapping[str, Sequence[ReplicateRows]], metric: Metric, *, draws: int = 1000, seed: int = 0
) -> dict[str, Side]:
    """Every cell scored as it is and under ``draws`` resamplings of source items, the same for all cells.

    The Bayesian bootstrap (Rubin 1981): each source item of the union gets a weight from an exponential distribution,
    for all its examples in all languages, so no language is ever left without items. InputError when
    cells differ in their languages, or a language has no examples.
    """
    languages = _shared_languages(cells)
    everyone = [replicate for cell in cells.values() for replicate in cell]
    groups = {name: _Items.of([replicate.languages[name] for replicate in everyone]) for name in languages}
    union = np.unique(np.concatenate([group.names for group in groups.values()]))
    scores = np.empty((len(everyone), len(languages)))
    drawn = np.empty((len(everyone), len(languages), draws))
    tables = [groups[name].table(union, len(metric.columns)) for name in languages]
    for at, table in enumerate(tables):
        scores[:, at] = table.scores(np.ones((1, len(union))), metric)[:, 0]
    stream = np.random.default_rng(seed)
    for start in range(0, draws, _BLOCK):
        stop = min(start + _BLOCK, draws)
        weights = stream.standard_exponential((stop - start, len(union)))
        for at, table in enumerate(tables):
            drawn[:, at, start:stop] = table.scores(weights, metric)
    return _sides(cells, languages, scores, drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    """The rows of all replicates in one language, and the names of the source items among them, sorted."""

    rows: Sequence[LanguageRows]
    names: NDArray[np.str_]

    @classmethod
    def of(cls, rows: Sequence[LanguageRows]) -> _Items:
        first = rows[0].items
        # Replicates score the same view, so this is nearly always one array.
        others = [row.items for row in rows[1:] if row.items is not first and not np.array_equal(row.items, first)]
        return cls(rows=rows, names=np.unique(np.concatenate([first, *others])))

    def table(self, union: NDArray[np.str_], width: int) -> _LanguageTable:
        """Statistics summed by source item, columns of all replicates side by side."""
        distinct: dict[bytes, int] = {}
        columns: list[FloatArray] = []
        of = np.empty((len(self.rows), width), np.intp)
        at: tuple[object, NDArray[np.intp]] = (None, np.empty(0, np.intp))
        for number, row in enumerate(self.rows):
            if row.items is not at[0]:
                at = (row.items, np.searchsorted(self.names, row.items))
            for part in range(width):
                summed = np.bincount(at[1], row.values[:, part], len(self.names)).astype(np.float64)
                # Replicates score the same examples, so a column such as ``total`` is one column for all of them.
                place = distinct.setdefault(summed.tobytes(), len(columns))
                if place == len(columns):
                    columns.append(summed)
                of[number, part] = place
        return _LanguageTable(at=np.searchsorted(union, self.names), values=np.column_stack(columns), of=of)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LanguageTable:
    """All replicates of one language as one matrix, so that a block of draws is one product."""

    at: NDArray[np.intp]  # (items of the language,) into the union
    values: FloatArray  # (items, distinct columns)
    of: NDArray[np.intp]  # (replicates, columns of the metric) into the distinct columns

    def scores(self, weights: FloatArray, metric: Metric) -> FloatArray:
        """Scores of each replicate under each row of weights (draws, union), shape (replicates, draws)."""
        # Most columns cover every item of the union: a view then, not a copy.
        whole = len(self.at) == weights.shape[1]
        sums = ((weights if whole else weights[:, self.at]) @ self.values).T
        by_column = {name: sums[self.of[:, i]] for i, name in enumerate(metric.columns)}
        return np.asarray(metric.score(by_column), np.float64)


def _sides(
    cells: Mapping[str, Sequence[ReplicateRows]], languages: tuple[str, ...], scores: FloatArray, draws: FloatArray
) -> dict[str, Side]:
    sides, start = {}, 0
    for name, replicates in cells.items():
        stop = start + len(replicates)
        sides[name] = Side(
            intermediate_seeds=tuple(r.intermediate_seed for r in replicates),
            target_seeds=tuple(r.target_seed for r in replicates),
            languages=languages,
            scores=scores[start:stop],
            draws=draws[start:stop],
        )
        start = stop
    return sides


def _shared_languages(cells: Mapping[str, Sequence[ReplicateRows]]) -> tuple[str, ...]:
    seen = {tuple(sorted(replicate.languages)) for cell in cells.values() for replicate in cell}
    empty = [name for name, cell in cells.items() if not cell]
    if len(seen) == 1 and not empty and next(iter(seen)):
        languages = next(iter(seen))
        if all(len(r.languages[name].items) for cell in cells.values() for r in cell for name in languages):
            return languages
    raise InputError(
        "resampling cells for comparison",
        f"cells without replicates: {empty}" if empty else f"languages differ or are empty: {sorted(seen)}",
        "A paired comparison needs the same languages, with examples, in every replicate",
        'Fill what is missing with "stilts run", or leave incomplete replicates out',
    )
