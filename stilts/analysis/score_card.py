"""The score card of a study's estimates: what each would have said of the finished matrix, and what it took.

Per target, the rows (``none`` and searched rows left out) are ordered by an estimate and compared with their scores,
mean over replicates; every figure is a mean over targets with a bootstrap interval over targets. Three lines stand
beside the estimates: random orders, the first seed of every cell, and ``best_on_others``, which orders rows by their
standardised scores on the other targets and so needs most of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import TypeAlias

import numpy as np

from stilts.analysis.matrix import replicate_scores
from stilts.analysis.orders import kendall, ndcg, random_ndcg, random_regret_at, regret_at
from stilts.analysis.probes import targets_of
from stilts.analysis.ranks import rank_correlation
from stilts.analysis.replay.regret import bootstrap
from stilts.analysis.results import StudyResults
from stilts.ledger.estimates import Cell, cell_estimates, keys_behind, seconds_per_cell
from stilts.ledger.results import Result
from stilts.metrics.metric import FloatArray
from stilts.study.estimating import why_absent
from stilts.study.record import NONE_ROW
from stilts.study.stage import Estimate

RANDOM, ONE_SEED, BEST_ON_OTHERS = "random", "one_seed", "best_on_others"
FIRST = (1, 3, 5)
_Cells: TypeAlias = Mapping[Cell, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over targets with its 95 % percentile bootstrap interval over them; no interval with one target."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLine:
    """One estimate: rank correlations and NDCG as in ``orders``, regret@k in points and per cent of the best score.

    ``seconds`` are per cell. Figures are None where no target gives one: rank correlation needs four rows.
    """

    name: str
    is_reference: bool
    targets: tuple[str, ...]
    spearman: Mean | None
    kendall: Mean | None
    ndcg: Mean | None
    regret: Mapping[int, Mean | None]
    regret_pct: Mapping[int, Mean | None]
    seconds: float | None

    def to_json(self) -> dict[str, object]:
        """All fields under their names, regret as ``regret@k`` and ``regret_pct@k``."""
        plain: dict[str, object] = {
            "estimate": self.name,
            "is_reference": self.is_reference,
            "targets": list(self.targets),
            **{name: _json(getattr(self, name)) for name in ("spearman", "kendall", "ndcg")},
        }
        for name in ("regret", "regret_pct"):
            plain |= {f"{name}@{first}": _json(mean) for first, mean in getattr(self, name).items()}
        return plain | {"seconds_per_cell": self.seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """All lines over the same ``rows``; ``use`` is what they were judged by. ``notes`` say what is absent, and why."""

    use: str
    rows: tuple[str, ...]
    targets: tuple[str, ...]
    lines: tuple[CardLine, ...]
    notes: tuple[str, ...]


def score_card(results: StudyResults, use: str = "report") -> ScoreCard:
    """The card of a study, judged by its matrix on ``report`` or ``select``; equal ranks for score and for gain."""
    card = _Card(results=results, use=use)
    lines = [card.line(estimate.value, cells, card.seconds(estimate)) for estimate, cells in card.estimates.items()]
    others = card.line(BEST_ON_OTHERS, _best_on_others(card.truth), None, is_reference=True)
    grid = card.line(ONE_SEED, card.first_seed, card.grid_seconds(), is_reference=True)
    return ScoreCard(
        use=use,
        rows=card.rows,
        targets=card.targets,
        lines=(*lines, others, grid, card.random()),
        notes=tuple(card.notes()),
    )


@dataclass(frozen=True, kw_only=True)
class _Card:
    """The matrix that estimates are held against, and the estimates."""

    results: StudyResults
    use: str

    @cached_property
    def rows(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.results.record.rows if row.name != NONE_ROW and not row.searched)

    @cached_property
    def truth(self) -> _Cells:
        """The finished cells of the rows that take part."""
        table = self.results.cells if self.use == "report" else self.results.select_cells
        known = table[table["row"].isin(self.rows)].dropna(subset=["score"])
        names = {column.name for column in targets_of(self.results.record)}
        found = zip(known["row"], known["column"], known["score"], strict=True)
        return {(str(row), str(column)): float(score) for row, column, score in found if column in names}

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The targets with at least two finished rows."""
        return tuple(
            column.name
            for column in self.results.record.columns
            if sum(name == column.name for _, name in self.truth) > 1
        )

    @cached_property
    def published(self) -> Mapping[str, Result]:
        return self.results.view.results(keys_behind(self.results.record)).values

    @cached_property
    def estimates(self) -> Mapping[Estimate, _Cells]:
        return cell_estimates(self.results.record, self.published)

    @cached_property
    def first_seed(self) -> _Cells:
        """The selection score of the first replicate of every cell."""
        scores = replicate_scores(self.results.frame, "select").dropna(subset=["score"])
        first = scores.drop_duplicates(["row", "column"])
        return dict(zip(zip(first["row"], first["column"], strict=True), first["score"].astype(float), strict=True))

    def seconds(self, estimate: Estimate) -> float | None:
        return seconds_per_cell(self.results.record, self.published, estimate, len(self.estimates[estimate]))

    def grid_seconds(self) -> float | None:
        """Mean seconds of fine-tuning and evaluating a cell once."""
        spent, seen = [], set[Cell]()
        for replicate in self.results.record.replicates:
            cell = replicate.row, replicate.column
            if cell in self.truth and cell in self.first_seed and cell not in seen:
                seen.add(cell)
                stages = (*self.results.record.target_stages(replicate), replicate.evaluate_stage)
                spent.append(sum(self.results.view.seconds.get(stage, 0.0) for stage in stages))
        return fmean(spent) if spent else None

    def pairs(self, cells: _Cells) -> Iterator[tuple[str, FloatArray, FloatArray]]:
        """(target, guesses, scores) of the targets all of whose finished rows have a guess."""
        for target in self.targets:
            rows = [row for row in self.rows if (row, target) in self.truth]
            if all((row, target) in cells for row in rows):
                guess, truth = ([side[row, target] for row in rows] for side in (cells, self.truth))
                yield target, np.asarray(guess), np.asarray(truth)

    def line(self, name: str, cells: _Cells, seconds: float | None, *, is_reference: bool = False) -> CardLine:
        pairs = list(self.pairs(cells))
        regret = {first: [regret_at(guess, truth, first) for _, guess, truth in pairs] for first in FIRST}
        return CardLine(
            name=name,
            is_reference=is_reference,
            targets=tuple(target for target, _, _ in pairs),
            spearman=_mean([rank_correlation(guess.tolist(), truth.tolist()) for _, guess, truth in pairs]),
            kendall=_mean([kendall(guess, truth) for _, guess, truth in pairs]),
            ndcg=_mean([ndcg(guess, truth) for _, guess, truth in pairs]),
            regret={first: _mean(lost) for first, lost in regret.items()},
            regret_pct={first: _mean(_per_cent(lost, pairs)) for first, lost in regret.items()},
            seconds=seconds,
        )

    def random(self) -> CardLine:
        """What an order by chance is expected to give."""
        pairs = list(self.pairs(self.truth))
        regret = {first: [random_regret_at(truth, first) for _, _, truth in pairs] for first in FIRST}
        none = [0.0 for _ in pairs]
        return CardLine(
            name=RANDOM,
            is_reference=True,
            targets=tuple(target for target, _, _ in pairs),
            spearman=_mean(none),
            kendall=_mean(none),
            ndcg=_mean([random_ndcg(truth) for _, _, truth in pairs]),
            regret={first: _mean(lost) for first, lost in regret.items()},
            regret_pct={first: _mean(_per_cent(lost, pairs)) for first, lost in regret.items()},
            seconds=0.0,
        )

    def notes(self) -> Iterator[str]:
        """Which finished targets an estimate says nothing of, and why."""
        columns = {column.name: column for column in self.results.record.columns}
        trained = {r.column for r in self.results.record.replicates if r.target_stage is not None}
        for estimate, cells in self.estimates.items():
            told = {target for target, _, _ in self.pairs(cells)}
            for target in (target for target in self.targets if target not in told):
                column = columns[target]
                why = why_absent(estimate, column.task_kind, has_select=bool(column.select_languages))
                open_rows = [row for row in self.rows if (row, target) in self.truth and (row, target) not in cells]
                yield f"{estimate.value} of {target}: " + (
                    "it has no training data"
                    if target not in trained
                    else why or f"no figure for {', '.join(open_rows)}"
                )


def _best_on_others(truth: _Cells) -> _Cells:
    """Each row's mean standardised score over the other targets on which it is finished."""
    by_target: dict[str, dict[str, float]] = {}
    for (row, target), score in truth.items():
        by_target.setdefault(target, {})[row] = score
    standard = {target: _standardised(scores) for target, scores in by_target.items()}
    found: dict[Cell, float] = {}
    for row, target in truth:
        others = [scores[row] for name, scores in standard.items() if name != target and row in scores]
        if others:
            found[row, target] = fmean(others)
    return found


def _standardised(scores: Mapping[str, float]) -> dict[str, float]:
    mean, spread = fmean(scores.values()), float(np.std(list(scores.values())))
    return {row: (score - mean) / spread if spread else 0.0 for row, score in scores.items()}


def _per_cent(lost: Sequence[float], pairs: Sequence[tuple[str, FloatArray, FloatArray]]) -> list[float | None]:
    best = [float(truth.max()) for _, _, truth in pairs]
    return [100.0 * points / top if top > 0 else None for points, top in zip(lost, best, strict=True)]


def _mean(values: Sequence[float | None]) -> Mean | None:
    """The mean of what is known, with its interval over targets (Efron 1979)."""
    known = np.asarray([value for value in values if value is not None], np.float64)
    if not len(known):
        return None
    low, high = bootstrap(known.tolist()) if len(known) > 1 else (None, None)
    return Mean(value=float(known.mean()), low=low, high=high)


def _json(mean: Mean | None) -> dict[str, float | None] | None:
    return None if mean is None else {"mean": mean.value, "low": mean.low, "high": mean.high}
