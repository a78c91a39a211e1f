"""Material: the tables that sections draw and print, each made once, when the first section asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.report.figures.cost import cost_data
from stilts.report.figures.languages import language_data
from stilts.report.figures.matrix_data import matrix_data
from stilts.report.figures.mixtures import mixture_data
from stilts.report.figures.search import proposal_data
from stilts.study.record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Material:
    """A study's results, and the tables that several sections share."""

    results: StudyResults

    @property
    def record(self) -> StudyRecord:
        """What the study asks."""
        return self.results.record

    @cached_property
    def matrix(self) -> pd.DataFrame:
        """Every cell of the targets with its interval and marks."""
        return self._cells[self._cells["column"].isin([column.name for column in targets_of(self.record)])]

    @cached_property
    def probes(self) -> pd.DataFrame:
        """Every cell of the columns that are no targets but watch the encoder."""
        return self._cells[~self._cells["column"].isin([column.name for column in targets_of(self.record)])]

    @cached_property
    def _cells(self) -> pd.DataFrame:
        return matrix_data(self.results)

    @cached_property
    def languages(self) -> pd.DataFrame:
        """Gains by language of one row per target."""
        return language_data(self.results)

    @cached_property
    def proposals(self) -> pd.DataFrame:
        """Selection scores of the proposals of searched rows."""
        return proposal_data(self.results)

    @cached_property
    def mixtures(self) -> pd.DataFrame:
        """Shares of the tasks in each proposal."""
        return mixture_data(self.results, self.proposals)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Measured and forecast seconds by kind and name of stage."""
        return cost_data(self.results)
