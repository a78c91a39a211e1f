"""Cost against forecast: what stages took, beside what a plan would have said just before each of them began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from stilts.analysis.results import StudyResults
from stilts.analysis.spending import compute_words
from stilts.ledger.results import TrainResult
from stilts.report.figures.cost_bars import SMALL, WIDE, cost_bars
from stilts.report.figures.picture import Picture, paragraph, stacked
from stilts.study.record import StudyRecord

_MOST_LINES = 40
COST_COLUMNS = ("kind", "name", "stages", "measured_s", "forecast_stages", "measured_of_forecast_s", "forecast_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A finished stage: its units of work are optimizer steps, or evaluated languages."""

    kind: str
    name: str
    units: int
    started: float
    ended: float
    seconds: float


def cost_data(results: StudyResults) -> pd.DataFrame:
    """One line per kind and name of stage, the most expensive first: seconds measured and forecast.

    No forecast is kept when a study runs, so it is worked out again: for each stage, what ``stilts plan`` would have
    expected when the stage began, from the stages of this study that had ended by then (the same kind and name, else
    the same kind, per step or language). Stages with nothing before them have no forecast;
    ``measured_of_forecast_s`` is what those that have one took.
    """
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for stage, forecast in _forecasts(_done_stages(results)):
        group = groups.setdefault((stage.kind, stage.name), dict.fromkeys(COST_COLUMNS[2:], 0.0))
        group["stages"] += 1
        group["measured_s"] += stage.seconds
        if forecast is not None:
            group["forecast_stages"] += 1
            group["measured_of_forecast_s"] += stage.seconds
            group["forecast_s"] += forecast
    lines = [{"kind": kind, "name": name, **group} for (kind, name), group in groups.items()]
    table = pd.DataFrame(lines, columns=list(COST_COLUMNS)).sort_values("measured_s", ascending=False, kind="stable")
    return table.astype({"stages": int, "forecast_stages": int}).reset_index(drop=True)


def cost_plot(data: pd.DataFrame, record: StudyRecord) -> Picture | None:
    """Bars of measured time with the forecast as a diamond; None where nothing is done."""
    if data.empty:
        return None
    shown, rest = data.iloc[:_MOST_LINES], data.iloc[_MOST_LINES:]
    more = _not_drawn(rest, record)
    wide, small = (stacked([cost_bars(shown, record, room), paragraph(more, room.width)]) for room in (WIDE, SMALL))
    return Picture(
        name="cost",
        title="Cost against forecast",
        headline=f"{record.name}: measured cost of stages, and its forecast",
        caption=cost_words(data, record),
        bands=(wide,),
        narrow=(small,),
        data=data,
    )


def _not_drawn(rest: pd.DataFrame, record: StudyRecord) -> str:
    if rest.empty:
        return ""
    return f"Not drawn: {len(rest)} more kinds of stages, {compute_words(record, float(rest['measured_s'].sum()))}."


def cost_words(data: pd.DataFrame, record: StudyRecord) -> str:
    """The totals in a sentence, and what the forecast is."""
    total = compute_words(record, float(data["measured_s"].sum()))
    ahead, took = float(data["forecast_s"].sum()), float(data["measured_of_forecast_s"].sum())
    count = int(data["forecast_stages"].sum())
    said = f"{int(data['stages'].sum())} stages took {total}."
    if ahead > 0:
        said += (
            f" For {count} of them there was a forecast: {compute_words(record, ahead)}, measured "
            f"{compute_words(record, took)} ({took / ahead - 1:+.0%})."
        )
    return (
        f"{said} The forecast is worked out afterwards: what stilts plan would have expected as each stage began, from "
        "the stages of this study that had ended by then."
    )


def _done_stages(results: StudyResults) -> list[_Done]:
    found = []
    for stage_id, seconds in results.view.seconds.items():
        stage = results.record.stages[stage_id]
        done = results.view.stage_results(stage_id)
        started = [result.started for result in done if result.started is not None]
        ended = [result.ended for result in done if result.ended is not None]
        if started and ended:
            kind, first = stage["kind"], done[0]
            units = first.steps if isinstance(first, TrainResult) else len(done)
            found.append(
                _Done(
                    kind=kind,
                    name=stage["name"],
                    units=max(units, 1),
                    started=min(started),
                    ended=max(ended),
                    seconds=seconds,
                )
            )
    return found


def _forecasts(stages: Sequence[_Done]) -> list[tuple[_Done, float | None]]:
    """Each stage with the seconds expected of it when it began, by the means of ``search.expectation``."""
    ended = sorted(stages, key=lambda stage: stage.ended)
    totals: dict[tuple[str, str], tuple[float, int]] = {}
    told, at = [], 0
    for stage in sorted(stages, key=lambda stage: stage.started):
        while at < len(ended) and ended[at].ended <= stage.started:
            past = ended[at]
            for key in ((past.kind, past.name), (past.kind, "")):
                seconds, units = totals.get(key, (0.0, 0))
                totals[key] = (seconds + past.seconds, units + past.units)
            at += 1
        known = totals.get((stage.kind, stage.name)) or totals.get((stage.kind, ""))
        told.append((stage, known[0] / known[1] * stage.units if known else None))
    return told
