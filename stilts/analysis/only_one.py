"""If only one intermediate may be kept: what it gains everywhere, where it is worst, what it gives away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from stilts.analysis.best import Answer
from stilts.analysis.objectives import objective_answer
from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, plain
from stilts.metrics.averages import RETRIEVAL_GROUP
from stilts.metrics.objectives import AVERAGE
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRow:
    """A row kept for all targets. ``gain`` is its mean gain over ``none``; ``gain_without_retrieval`` leaves those out.

    ``regret`` is, in points by target, how far the row stays below the target's own winner on ``report`` (negative
    where the winner by ``select`` turned out lower); targets without a winner have none.
    """

    row: str
    select_score: float
    gain: Interval | None
    gain_without_retrieval: float | None
    worst_target: str
    worst_gain: float
    regret: Mapping[str, float]

    @property
    def mean_regret(self) -> float | None:
        """The mean of ``regret`` over targets."""
        return fmean(self.regret.values()) if self.regret else None

    @property
    def worst_regret(self) -> tuple[str, float] | None:
        """The target with the largest regret, and it."""
        return max(self.regret.items(), key=lambda item: item[1]) if self.regret else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyOne:
    """The one row to keep, chosen by its mean selection score; ``rows`` in the order of the choice.

    ``winners`` are the targets' own winners, that regret is measured against. See ``ObjectiveAnswer`` for the rest.
    """

    chosen: str | None
    chosen_by: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: tuple[OneRow, ...]
    winners: Mapping[str, str]
    incomplete: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The answer as plain JSON."""
        value = {name: plain(part, name) for name, part in asdict(self).items()}
        rows: list[Json] = [
            {**{k: plain(v, k) for k, v in asdict(row).items()}, "mean_regret": row.mean_regret} for row in self.rows
        ]
        return value | {"rows": rows}


def only_one(results: StudyResults, answers: Sequence[Answer]) -> OnlyOne:
    """The one row to keep for all targets, ``none`` among them. ``answers`` are the study's, for the winners.

    InputError where no target has a selection score to choose by.
    """
    overall = objective_answer(results, AVERAGE)
    winners = {answer.target: answer.chosen for answer in answers if answer.chosen}
    retrieval = {column.name for column in results.record.columns if column.group == RETRIEVAL_GROUP}
    rows = []
    for line in overall.rows:
        gains = {name: _gain(results, line.row, name) for name in overall.targets}
        known = {name: gain for name, gain in gains.items() if gain is not None}
        others = [gain for name, gain in known.items() if name not in retrieval]
        worst = min(known, key=lambda name: known[name], default="")
        rows.append(
            OneRow(
                row=line.row,
                select_score=line.select_score,
                gain=line.gain,
                gain_without_retrieval=fmean(others) if others else None,
                worst_target=worst,
                worst_gain=known.get(worst, 0.0),
                regret={
                    name: results.sides(name)[winner].mean - results.sides(name)[line.row].mean
                    for name, winner in winners.items()
                },
            )
        )
    return OnlyOne(
        chosen=overall.chosen,
        chosen_by=overall.chosen_by,
        left_out=overall.left_out,
        rows=tuple(rows),
        winners=winners,
        incomplete=overall.incomplete,
        notes=overall.notes,
    )


def _gain(results: StudyResults, row: str, target: str) -> float | None:
    sides = results.sides(target)
    return sides[row].mean - sides[NONE_ROW].mean if NONE_ROW in sides else None
