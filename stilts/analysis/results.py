"""StudyResults: a study as far as it is done, read once and looked at from every side.

Every report starts here: the matrix, its cells, the resampled sides behind the intervals. Each part is made when it
is first asked for and kept; so are the answers (``best.answers_of``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar, cast

import pandas as pd

from stilts.analysis.examples import column_sides
from stilts.analysis.matrix import cells, done_in_cells, language_scores, load_matrix
from stilts.errors import UnknownNameError
from stilts.ledger.view import StudyView
from stilts.metrics.comparison import benjamini_hochberg
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval, gain_interval
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import NONE_ROW, Column, StudyRecord, without_languages

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageGain:
    """One language's gain over ``none``, in points; ``p_adjusted`` is Benjamini-Hochberg's over the languages."""

    language: str
    gain: float
    low: float
    high: float
    p_adjusted: float


@dataclass(frozen=True, kw_only=True)
class StudyResults:
    """What a store holds of a study. ``draws`` resamplings of the test items, the same for all columns' seeds.

    In the cells of rows that were searched for ``objective`` stands the recipe that they found for it; None, and in
    other rows: the one that stands in the matrix.

    ``record`` is the study's, without the languages of a column whose data have no score (``unscored``); with
    ``keeps_unscored`` these stay, for whoever wants what was predicted there.

    StoreError, when a part is asked for, where the examples of a done evaluation are gone.
    """

    record: StudyRecord
    store: ArtifactStore
    draws: int = 1000
    seed: int = 0
    objective: str | None = None
    keeps_unscored: bool = False
    _sides: dict[str, dict[str, Side]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole = StudyView(record=self.record, store=self.store)
        self.__dict__["unscored"] = whole.unscored
        if whole.unscored and not self.keeps_unscored:
            self.__dict__["record"] = without_languages(self.record, whole.unscored)
        else:
            self.__dict__["view"] = whole

    @cached_property
    def unscored(self) -> Mapping[str, Mapping[str, str]]:
        """By column, the languages that ``record`` lacks because their data have no score, each with the reason."""
        return {}

    @cached_property
    def view(self) -> StudyView:
        """What became of the study, and what its stages published."""
        return StudyView(record=self.record, store=self.store)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per (replicate, use, language): ``matrix.load_matrix``."""
        return load_matrix(self.view)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row per cell, scored on ``report``: ``matrix.cells``."""
        return cells(self.record, self.frame, "report", objective=self.objective)

    @cached_property
    def done(self) -> frozenset[str]:
        """The ids of the replicates behind the cells' scores: ``matrix.done_in_cells``."""
        return done_in_cells(self.record, self.frame, objective=self.objective)

    @cached_property
    def select_cells(self) -> pd.DataFrame:
        """One row per cell of the columns that have a selection score, scored on ``select``."""
        return cells(self.record, self.frame, "select", objective=self.objective)

    @cached_property
    def language_scores(self) -> pd.DataFrame:
        """One row per (row, column, language) on ``report``: ``matrix.language_scores``."""
        return language_scores(self.record, self.frame, objective=self.objective)

    def once(self, name: str, make: Callable[[StudyResults], Made]) -> Made:
        """What ``make`` says of these results; it is asked once and kept under ``name``, as the parts here are."""
        if name not in self.__dict__:
            self.__dict__[name] = make(self)
        return cast("Made", self.__dict__[name])

    def under(self, objective: str) -> StudyResults:
        """The same results with the recipes that were found for an objective; itself where no row was searched for it.

        What is read already is kept.
        """
        if not any(objective in row.objectives and len(row.objectives) > 1 for row in self.record.rows):
            return self
        other = replace(self, objective=objective, _sides={})
        for name in ("view", "frame", "unscored"):
            other.__dict__[name] = getattr(self, name)
        return other

    def column(self, name: str) -> Column:
        """The column of that name; UnknownNameError where the study has none."""
        for column in self.record.columns:
            if column.name == name:
                return column
        raise UnknownNameError("target", name, [column.name for column in self.record.columns])

    def sides(self, column: str) -> Mapping[str, Side]:
        """The rows of a column that have done replicates, by name, resampled together on ``report``."""
        if column not in self._sides:
            self._sides[column] = column_sides(
                self.view, self.column(column), self.done, draws=self.draws, seed=self.seed
            )
        return self._sides[column]

    def gain(self, row: str, column: str) -> Interval | None:
        """The row's gain over ``none`` with its 95 % interval; None for ``none``, and while either is not done."""
        sides = self.sides(column)
        if row == NONE_ROW or row not in sides or NONE_ROW not in sides:
            return None
        return gain_interval(sides[row], sides[NONE_ROW])

    def language_gains(self, row: str, column: str) -> tuple[LanguageGain, ...]:
        """The row's gain over ``none`` in every language; () for ``none`` itself, and while either is not done."""
        sides = self.sides(column)
        if row == NONE_ROW or row not in sides or NONE_ROW not in sides:
            return ()
        return language_gains(sides[row], sides[NONE_ROW])


def language_gains(side: Side, base: Side) -> tuple[LanguageGain, ...]:
    """A side's gain over its baseline in every language, in the side's order."""
    intervals = [gain_interval(side.of([name]), base.of([name])) for name in side.languages]
    adjusted = benjamini_hochberg([interval.claim_p for interval in intervals])
    return tuple(
        LanguageGain(language=name, gain=i.estimate, low=i.low, high=i.high, p_adjusted=p)
        for name, i, p in zip(side.languages, intervals, adjusted, strict=True)
    )
