"""Tally: observations as arrays, sources and targets sorted by name so that listing order does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stilts.errors import InputError
from stilts.search.selecting.policy import FloatArray, Observation, Question, Trial

IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """A question and all that was observed, indexed [source, target, seed] in sorted order.

    ``scores``: NaN where there is none. ``taken``: True for trials observed, failed or pending. ``paid``: (sources,
    seeds), True where the source's stage was paid for. The question's own arrays follow, sorted alike.
    """

    question: Question
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scores: FloatArray
    taken: BoolArray
    exists: BoolArray
    cell_price: FloatArray
    stage_price: FloatArray
    priors: tuple[FloatArray, ...]
    features: FloatArray | None
    runs: BoolArray | None

    @property
    def paid(self) -> BoolArray:
        """Stages (source, seed) that some trial has paid for."""
        return np.asarray(np.any(self.taken, axis=1), np.bool_)

    @property
    def counts(self) -> IntArray:
        """Scores per cell (sources, targets)."""
        out: IntArray = np.isfinite(self.scores).sum(axis=2)
        return out

    @property
    def means(self) -> FloatArray:
        """Mean score per cell (sources, targets), NaN where there is none."""
        total = np.nansum(self.scores, axis=2)
        counts = self.counts
        out: FloatArray = np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0)
        return out

    @property
    def free(self) -> BoolArray:
        """Trials that may still be asked for, indexed as ``scores``."""
        out: BoolArray = ~self.taken & self.exists[:, :, None]
        if self.runs is not None:
            out &= self.runs
        return out

    def spent(self) -> float:
        """What all taken trials cost."""
        cells = float((self.taken.sum(axis=2) * self.cell_price).sum())
        return cells + float((self.paid.sum(axis=1) * self.stage_price).sum())

    def trial(self, source: int, target: int, seed: int) -> Trial:
        """The trial at these indices."""
        return Trial(source=self.sources[source], target=self.targets[target], seed=int(seed))


def tally(question: Question, observations: Sequence[Observation], pending: Iterable[Trial] = ()) -> Tally:
    """All that was observed, as arrays. InputError for a trial that the question does not know."""
    by_source = np.argsort(np.array(question.sources, dtype=object), kind="stable")
    by_target = np.argsort(np.array(question.targets, dtype=object), kind="stable")
    sources = tuple(question.sources[i] for i in by_source)
    targets = tuple(question.targets[i] for i in by_target)
    scores = np.full((len(sources), len(targets), question.seeds), np.nan)
    taken = np.zeros(scores.shape, np.bool_)
    rows = {name: index for index, name in enumerate(sources)}
    columns = {name: index for index, name in enumerate(targets)}
    for trial, score in _all(observations, pending):
        at = _place(trial, rows, columns, scores.shape)
        taken[at] = True
        if score is not None:
            scores[at] = score
    cells = np.ix_(by_source, by_target)
    return Tally(
        question=question,
        sources=sources,
        targets=targets,
        scores=scores,
        taken=taken,
        exists=question.exists[cells],
        cell_price=question.cell_price[cells],
        stage_price=question.stage_price[by_source],
        priors=tuple(prior[cells] for prior in question.priors),
        features=None if question.features is None else question.features[cells],
        runs=None if question.runs is None else question.runs[cells],
    )


def _all(observations: Sequence[Observation], pending: Iterable[Trial]) -> Iterator[tuple[Trial, float | None]]:
    for one in observations:
        yield one.trial, one.score
    for trial in pending:
        yield trial, None


def _place(trial: Trial, rows: dict[str, int], columns: dict[str, int], shape: tuple[int, ...]) -> tuple[int, int, int]:
    known = trial.source in rows and trial.target in columns
    if not known or not 0 <= trial.seed < shape[2]:
        raise InputError(
            f"the observation of {trial.source} on {trial.target}",
            f"the question has no such trial (seed {trial.seed})",
            "Observations of another question would bend the choice",
        )
    return rows[trial.source], columns[trial.target], trial.seed
