"""The answer with its doubt: which intermediate to train on first, per target. Read ``best`` first.

A winner is chosen on ``select`` and described on ``report``. Where a target has no selection score nothing is chosen;
the highest row on ``report`` is then named as *oracle* and not advised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pandas as pd

from stilts.analysis.results import LanguageGain, StudyResults, language_gains
from stilts.analysis.wording import advice_line, notes_on
from stilts.fingerprint import Json, plain
from stilts.metrics.comparison import Comparison, holm, set_of_equals
from stilts.metrics.resampling import Side
from stilts.metrics.uncertainty import Interval, gain_interval
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import NONE_ROW, Column, StudyRecord

FALSE_DISCOVERY = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGain:
    """A row's gain over ``none`` on one target, and its p value adjusted over the rows (Holm)."""

    row: str
    interval: Interval
    p_adjusted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a study says of one target; scores are 0..100 on ``report``, means over languages.

    ``chosen`` is the row with the highest selection score; None, with the ``reason``, where there is none to choose
    by, and then ``oracle`` names the highest row on ``report``. ``score``, ``gain`` and ``languages`` are of ``row``;
    ``gain`` is None where that row is ``none`` or ``none`` is not done. ``equals`` are the rows that cannot be told
    from the best, ``p_best`` how likely each is the best. ``losing`` are languages with a gain below 0 at a false
    discovery rate of 5 %. ``near_chance`` lists which of ``row`` and ``none`` stay near guessing.
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
    languages: tuple[LanguageGain, ...]
    near_chance: tuple[str, ...]
    notes: tuple[str, ...]
    advice: str

    @property
    def row(self) -> str | None:
        """The row that the figures describe: the chosen one, else the oracle."""
        return self.chosen or self.oracle

    @property
    def losing(self) -> tuple[LanguageGain, ...]:
        """The languages that lose, worst first."""
        lose = [item for item in self.languages if item.gain < 0 and item.p_adjusted <= FALSE_DISCOVERY]
        return tuple(sorted(lose, key=lambda item: item.gain))

    def to_json(self) -> dict[str, Json]:
        """The answer as plain JSON, the losing languages by name."""
        value = {name: plain(part, name) for name, part in asdict(self).items()}
        return value | {"row": self.row, "losing": [item.language for item in self.losing]}


def best(record: StudyRecord, store: ArtifactStore, *, draws: int = 1000, seed: int = 0) -> list[Answer]:
    """One answer per target of the study, in its order.

    Rows take part with the replicates that are done; notes name what is not. StoreError where the examples of a
    done evaluation are gone.
    """
    return answers_of(StudyResults(record=record, store=store, draws=draws, seed=seed))


def answers_of(results: StudyResults) -> list[Answer]:
    """``best`` of a study that is loaded already."""
    return [
        _answer(
            results.record,
            column,
            _of(results.cells, column),
            _of(results.select_cells, column),
            results.sides(column.name),
        )
        for column in results.record.columns
    ]


def _of(table: pd.DataFrame, column: Column) -> pd.DataFrame:
    return table[table["column"] == column.name].set_index("row")


def _answer(
    record: StudyRecord, column: Column, report: pd.DataFrame, select: pd.DataFrame, sides: Mapping[str, Side]
) -> Answer:
    chosen, reason = _choose(record, column, select, sides)
    highest = max(sides, key=lambda name: sides[name].mean, default=None)
    oracle = highest if chosen is None else None
    row = chosen or oracle
    base = sides.get(NONE_ROW)
    gains = _row_gains(sides, base)
    compared = set_of_equals(sides) if sides else Comparison(equals=(), p_best={}, conditional=False)
    chance = report["chance"][row] if row else None
    return Answer(
        target=column.name,
        metric=column.metric,
        toy=record.toy,
        chosen=chosen,
        reason=reason,
        oracle=oracle,
        score=sides[row].mean if row else None,
        select_score=float(select["score"][chosen]) if chosen else None,
        chance=None if chance is None or pd.isna(chance) else float(chance),
        num_replicates=len(sides[row].scores) if row else 0,
        gain=next((gain.interval for gain in gains if gain.row == row), None),
        gains=gains,
        equals=compared.equals,
        p_best=compared.p_best,
        conditional=compared.conditional,
        languages=language_gains(sides[row], base) if row and row != NONE_ROW and base else (),
        near_chance=tuple(n for n in dict.fromkeys([row or "", NONE_ROW]) if n in sides and report["near_chance"][n]),
        notes=notes_on(record, column, row, report),
        advice=advice_line(row, sides, compared),
    )


def _choose(
    record: StudyRecord, column: Column, select: pd.DataFrame, sides: Mapping[str, Side]
) -> tuple[str | None, str]:
    """The row with the highest selection score (the study's first among equals), and why it, or why none."""
    if not column.select_languages:
        return None, f"{column.name} has no selection score under selection: {record.selection}"
    scores = {str(name): float(s) for name, s in select["score"].dropna().items() if name in sides}
    if not scores:
        return None, "no row is scored on both select and report yet"
    chosen = max(scores, key=lambda name: scores[name])
    return chosen, f"highest selection score of {len(scores)} rows ({scores[chosen]:.1f})"


def _row_gains(sides: Mapping[str, Side], base: Side | None) -> tuple[RowGain, ...]:
    if base is None:
        return ()
    intervals = {name: gain_interval(side, base) for name, side in sides.items() if name != NONE_ROW}
    adjusted = holm([interval.p_value for interval in intervals.values()])
    return tuple(
        RowGain(row=name, interval=interval, p_adjusted=p)
        for (name, interval), p in zip(intervals.items(), adjusted, strict=True)
    )
