"""What the checks of negative transfer share: verdicts, and a study with what several of them ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from stilts.analysis.best import RowGain, matrix_gains
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.analysis.spending import Cells, replicates_in_cells
from stilts.fingerprint import Json
from stilts.metrics.levels import FALSE_CLAIM
from stilts.metrics.resampling import Side


class CauseVerdict(StrEnum):
    """What a check says of a cause."""

    POINTS = "points to it"
    AGAINST = "does not point to it"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One cause looked into: its name, the verdict in one line, and the figures behind it."""

    cause: str
    verdict: CauseVerdict
    line: str
    figures: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """A study with what several checks ask of it, made once."""

    results: StudyResults

    @cached_property
    def gains(self) -> Mapping[tuple[str, str], RowGain]:
        """The gain of each (row, target), tested over the whole matrix: every target is resampled for it."""
        return {(gain.row, column): gain for column, gains in matrix_gains(self.results).items() for gain in gains}

    def clearly_negative(self, row: str, column: str) -> bool:
        """Whether the cell's loss is beyond chance over the whole matrix; other targets are read only if it matters."""
        gain = self.results.gain(row, column)
        if gain is None or gain.estimate >= 0 or gain.p_value > FALSE_CLAIM:
            return False
        record = self.results.record
        # Holm's adjusted p value is never above Bonferroni's. A row with one seed may be lent the column's spread.
        if gain.claim_p * (len(record.rows) - 1) * len(targets_of(record)) <= FALSE_CLAIM:
            return True
        return self.gains[row, column].clearly_negative

    @cached_property
    def cells(self) -> Cells:
        """The done replicates behind each (row, column)."""
        return replicates_in_cells(self.results)

    def config(self, stage: str) -> Mapping[str, float]:
        """Learning rate and steps of a train stage; {} where its payload has none, or is not there."""
        config = self.results.view.payload(stage).get("config")
        found = config if isinstance(config, Mapping) else {}
        values = {name: found.get(name) for name in ("learning_rate", "steps")}
        known = {name: float(value) for name, value in values.items() if isinstance(value, int | float)}
        return known if len(known) == len(values) else {}

    def side(self, row: str, column: str) -> Side:
        """A cell's scores and draws; the cell must be done."""
        return self.results.sides(column)[row]
