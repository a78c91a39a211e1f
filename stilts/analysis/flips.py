"""Flipped examples: what a row gets right and ``none`` wrong, and the other way round, per language.

Two models are compared: the first done replicate of the row's cell, and that of ``none`` with the same target seed (its
first where it has none such). Where an example has one answer, it is right or wrong; where it has many parts (words,
spans, tokens of an answer) an example counts as flipped when its own score is higher or lower.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from stilts.analysis.predictions import Predictions, predictions_of
from stilts.analysis.results import StudyResults
from stilts.analysis.spending import Cells, replicates_in_cells
from stilts.fingerprint import Json, plain
from stilts.study.record import NONE_ROW, Column, Replicate

SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One example that changed: its source item, both answers and scores (0..100), and gold where it is stored."""

    item: str
    row_answer: str
    none_answer: str
    row_score: float
    none_score: float
    gold: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFlips:
    """One language's flips, counted, the largest differences first in ``won`` and ``lost``."""

    language: str
    num_examples: int
    num_won: int
    num_lost: int
    won: tuple[Flip, ...]
    lost: tuple[Flip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFlips:
    """The flips of a cell. ``whole`` is true where an example is right or wrong, and false where it has many parts.

    ``skipped`` names the languages whose examples are not the same ones for both models.
    """

    row_replicate: str
    none_replicate: str
    whole: bool
    languages: tuple[LanguageFlips, ...]
    skipped: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The flips as plain JSON."""
        return {name: plain(value, name) for name, value in asdict(self).items()}


def cell_flips(results: StudyResults, row: str, column: str, *, shown: int = SHOWN) -> CellFlips | None:
    """The flips of a row on a target against ``none``; None for ``none`` itself, and where either is not done.

    At most ``shown`` examples of each kind and language come along. StoreError where the examples are gone.
    """
    pair = paired_replicates(replicates_in_cells(results), row, column)
    if pair is None:
        return None
    ours, base = pair
    target = results.column(column)
    found = {name: _flips(results, target, name, pair, shown) for name in target.languages}
    return CellFlips(
        row_replicate=ours.replicate_id,
        none_replicate=base.replicate_id,
        whole=target.scoring.is_whole,
        languages=tuple(flips for flips in found.values() if flips is not None),
        skipped=tuple(name for name, flips in found.items() if flips is None),
    )


def paired_replicates(cells: Cells, row: str, column: str) -> tuple[Replicate, Replicate] | None:
    """A done replicate of the row and the one of ``none`` to compare it with; None where there are none."""
    ours, base = cells.get((row, column)), cells.get((NONE_ROW, column))
    if not ours or not base or row == NONE_ROW:
        return None
    first = ours[0]
    return first, next((other for other in base if other.target_seed == first.target_seed), base[0])


def _flips(
    results: StudyResults, column: Column, language: str, pair: tuple[Replicate, Replicate], shown: int
) -> LanguageFlips | None:
    chosen = column.measure
    ours, base = (predictions_of(r.outputs["report"][language], chosen, results.store) for r in pair)
    if not ours.comparable(base):
        return None
    change = ours.scores - base.scores
    order = np.argsort(-np.abs(change), kind="stable")
    won, lost = [i for i in order if change[i] > 0], [i for i in order if change[i] < 0]
    return LanguageFlips(
        language=language,
        num_examples=len(change),
        num_won=len(won),
        num_lost=len(lost),
        won=tuple(_flip(int(i), ours, base) for i in won[:shown]),
        lost=tuple(_flip(int(i), ours, base) for i in lost[:shown]),
    )


def _flip(at: int, ours: Predictions, base: Predictions) -> Flip:
    return Flip(
        item=ours.items[at],
        row_answer=ours.answers[at],
        none_answer=base.answers[at],
        row_score=float(ours.scores[at]),
        none_score=float(base.scores[at]),
        gold=ours.gold[at] if ours.gold else None,
    )
