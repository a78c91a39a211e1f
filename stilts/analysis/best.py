"""The answer with its doubt: which intermediate to train on first, per target. Read ``answers_of`` first.

A winner is chosen on ``select`` and described on ``report``. Where a target has no selection score nothing is chosen;
the highest row on ``report`` is then named as *oracle* and not advised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from stilts.analysis.probes import targets_of
from stilts.analysis.results import LanguageGain, StudyResults
from stilts.analysis.row_choice import choose_row, select_scores
from stilts.analysis.settling import Advice, advice_on
from stilts.analysis.spending import RowCost, compute_hours, replicates_in_cells, row_cost
from stilts.analysis.wording import notes_on, overlap_of, recipes_tried
from stilts.fingerprint import Json, plain
from stilts.ledger.state import State
from stilts.metrics.column_chance import ColumnChance
from stilts.metrics.comparison import Comparison, VarianceSplit, holm, set_of_equals, variance_split
from stilts.metrics.levels import FALSE_CLAIM, FALSE_DISCOVERY
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval
from stilts.metrics.winner import winner_gain
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import NONE_ROW, Column, StudyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGain:
    """A row's gain over ``none`` on one target; ``p_adjusted`` is Holm's over all cells of the matrix.

    It is 1 where no row of the target has two seeds: what one model showed is no claim about its recipe.
    """

    row: str
    interval: Interval
    p_adjusted: float

    @property
    def claimed(self) -> bool:
        """Whether the gain, or loss, is beyond chance with all cells of the matrix looked at together."""
        return self.p_adjusted <= FALSE_CLAIM

    @property
    def clearly_negative(self) -> bool:
        """Whether the row is clearly below ``none``."""
        return self.claimed and self.interval.estimate < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCell:
    """A cell of the target that is not complete: its state and how many of its replicates are done."""

    row: str
    state: str
    num_done: int
    num_planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a study says of one target; scores are 0..100 on ``report``, means over languages.

    ``chosen`` is the row with the highest selection score; None, with the ``reason``, where there is none to choose
    by, and then ``oracle`` names the highest row on ``report``. ``score``, ``gain``, ``variance`` and ``languages`` are
    of ``row``; ``gain`` counts that the row was chosen (``winner_gain``) and so may reach lower than the same row's in
    ``gains``; None where that row is ``none`` or ``none`` is not done. ``equals`` are the rows that cannot
    be told from the best, ``cheapest`` the one of them with the least training compute, ``p_best`` how likely each is
    the best. ``costs`` holds device hours (``cost_unit``) of one replicate by row, where they were measured.
    ``losing`` are languages with a gain below 0 at a false discovery rate of 5 %. ``near_chance`` lists which of
    ``row`` and ``none`` stay near guessing; ``overlap`` says why ``row`` has seen the target's own data. ``recipes``
    are the numbers of recipes from which ``row`` and ``none`` were chosen. ``conditional``: no row has two seeds, so
    nothing is claimed and no row falls out of the equals.
    """

    target: str
    metric: str
    toy: bool
    chosen: str | None
    reason: str
    oracle: str | None
    score: float | None
    select_score: float | None
    chance: float | None
    num_replicates: int
    gain: Interval | None
    gains: tuple[RowGain, ...]
    equals: tuple[str, ...]
    p_best: Mapping[str, float]
    conditional: bool
    cheapest: str | None
    costs: Mapping[str, float]
    cost_unit: str
    variance: VarianceSplit | None
    languages: tuple[LanguageGain, ...]
    near_chance: tuple[str, ...]
    overlap: str | None
    recipes: tuple[int, int]
    open_cells: tuple[OpenCell, ...]
    notes: tuple[str, ...]
    advice: str
    settling: Advice

    @property
    def row(self) -> str | None:
        """The row that the figures describe: the chosen one, else the oracle."""
        return self.chosen or self.oracle

    @property
    def row_gain(self) -> RowGain | None:
        """The gain of ``row`` with its adjusted p value; None for ``none``, or where ``none`` is not done."""
        return next((gain for gain in self.gains if gain.row == self.row), None)

    @property
    def helps(self) -> bool:
        """Whether the answer's row is shown to help: its gain is above 0 beyond chance."""
        own = self.row_gain
        return own is not None and own.claimed and own.interval.estimate > 0

    @property
    def losing(self) -> tuple[LanguageGain, ...]:
        """The languages that lose, worst first."""
        lose = [item for item in self.languages if item.gain < 0 and item.p_adjusted <= FALSE_DISCOVERY]
        return tuple(sorted(lose, key=lambda item: item.gain))

    @property
    def negative(self) -> tuple[RowGain, ...]:
        """The rows clearly below ``none``, worst first."""
        return tuple(sorted((g for g in self.gains if g.clearly_negative), key=lambda g: g.interval.estimate))

    def to_json(self) -> dict[str, Json]:
        """The answer as plain JSON; losing languages and clearly negative rows by name."""
        value = {name: plain(part, name) for name, part in asdict(self).items()}
        derived: dict[str, Json] = {
            "row": self.row,
            "losing": [item.language for item in self.losing],
            "negative": [item.row for item in self.negative],
        }
        return value | derived


def best(record: StudyRecord, store: ArtifactStore, *, draws: int = 1000, seed: int = 0) -> list[Answer]:
    """One answer per target of the study, in its order: ``answers_of`` what the store holds."""
    return list(answers_of(StudyResults(record=record, store=store, draws=draws, seed=seed)))


def answers_of(results: StudyResults) -> tuple[Answer, ...]:
    """One answer per target of the study, in its order; a masked-LM column is no target and has none.

    They are made once for the same results.

    Rows take part with the replicates that are done; ``open_cells`` and notes name what is not. StoreError where the
    examples of a done evaluation are gone.
    """
    return results.once("answers", _answers)


def _answers(results: StudyResults) -> tuple[Answer, ...]:
    columns = targets_of(results.record)
    gains = matrix_gains(results)
    replicates = replicates_in_cells(results)
    costs = {cell: row_cost(found, results.record, results.view.seconds) for cell, found in replicates.items()}
    num_claims = sum(map(len, gains.values()))
    return tuple(
        _answer(results, column, gains[column.name], num_claims, _of_column(costs, column)) for column in columns
    )


def matrix_gains(results: StudyResults) -> dict[str, tuple[RowGain, ...]]:
    """Per target every row's gain over ``none``, with p values adjusted (Holm) over all cells of all targets."""
    found: list[tuple[str, str, Interval]] = []
    p_values: list[float] = []
    columns = targets_of(results.record)
    for column in columns:
        gains_here = {row: gain for row in results.sides(column.name) if (gain := results.gain(row, column.name))}
        found += [(column.name, row, interval) for row, interval in gains_here.items()]
        p_values += _claim_p_values(results.sides(column.name), gains_here)
    adjusted = holm(p_values)
    gains: dict[str, list[RowGain]] = {column.name: [] for column in columns}
    for (name, row, interval), p_value in zip(found, adjusted, strict=True):
        gains[name].append(RowGain(row=row, interval=interval, p_adjusted=p_value))
    return {name: tuple(of_column) for name, of_column in gains.items()}


def _claim_p_values(sides: Mapping[str, Side], gains: Mapping[str, Interval]) -> list[float]:
    """The p values that claims rest on. A row with one seed is lent the column's seed variance, where there is one.

    Its own interval is conditional on its seed, and a claim about the row must not be. Where no row of the column has
    two seeds there is nothing to lend, and nothing is claimed.
    """
    chance, names = ColumnChance.of(sides) if sides else None, list(sides)
    return [
        chance.p_value(interval.estimate, names.index(row), names.index(NONE_ROW))
        if chance is not None and chance.df and interval.conditional
        else interval.claim_p
        for row, interval in gains.items()
    ]


def _of_column(costs: Mapping[tuple[str, str], RowCost | None], column: Column) -> dict[str, RowCost]:
    return {row: cost for (row, name), cost in costs.items() if name == column.name and cost is not None}


def _answer(
    results: StudyResults, column: Column, gains: Sequence[RowGain], num_claims: int, costs: Mapping[str, RowCost]
) -> Answer:
    record = results.record
    sides = {name: side for name, side in results.sides(column.name).items() if name in record.advisable}
    report = _by_row(results.cells, column)
    choice, scores = choose_row(results, column), select_scores(results, column)
    chosen = choice.row
    oracle = max(sides, key=lambda name: sides[name].mean, default=None) if chosen is None else None
    row = chosen or oracle
    compared = set_of_equals(sides) if sides else Comparison(equals=(), p_best={}, conditional=False)
    own = next((gain for gain in gains if gain.row == row), None)
    chance = report["chance"][row] if row else None
    claimed = own is None or own.claimed
    settling = advice_on(record, column, row, sides, compared, costs, claimed=claimed, num_claims=num_claims)
    return Answer(
        target=column.name,
        metric=column.metric,
        toy=record.toy,
        chosen=chosen,
        reason=choice.reason,
        oracle=oracle,
        score=sides[row].mean if row else None,
        select_score=scores[chosen] if chosen else None,
        chance=None if chance is None or pd.isna(chance) else float(chance),
        num_replicates=len(sides[row].scores) if row else 0,
        gain=winner_gain(sides, own.row, NONE_ROW, scores if chosen else None) if own else None,
        gains=tuple(gains),
        equals=compared.equals,
        p_best=compared.p_best,
        conditional=compared.conditional,
        cheapest=_cheapest(compared.equals, costs),
        costs={name: compute_hours(record, cost.seconds)[0] for name, cost in costs.items()},
        cost_unit=compute_hours(record, 0.0)[1],
        variance=variance_split(sides[row]) if row else None,
        languages=results.language_gains(row, column.name) if row else (),
        near_chance=tuple(n for n in dict.fromkeys([row or "", NONE_ROW]) if n in sides and report["near_chance"][n]),
        overlap=overlap_of(record, column, row),
        recipes=recipes_tried(record, row),
        open_cells=_open_cells(report),
        notes=notes_on(record, column, row, report, results.unscored),
        advice=settling.text,
        settling=settling,
    )


def _by_row(table: pd.DataFrame, column: Column) -> pd.DataFrame:
    return table[table["column"] == column.name].set_index("row")


def _cheapest(equals: Sequence[str], costs: Mapping[str, RowCost]) -> str | None:
    """The row of the set with the least training compute; None where one of them was not measured."""
    if not equals or any(row not in costs for row in equals):
        return None
    return min(equals, key=lambda row: costs[row].seconds)


def _open_cells(report: pd.DataFrame) -> tuple[OpenCell, ...]:
    unfinished = report[report["state"] != State.DONE]
    return tuple(
        OpenCell(row=str(name), state=str(c["state"]), num_done=int(c["num_done"]), num_planned=int(c["num_planned"]))
        for name, c in unfinished.iterrows()
    )
