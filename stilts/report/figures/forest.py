"""Forest plots: per target every row's gain with its interval, against the row ``none`` as the line at 0."""

from __future__ import annotations

from functools import partial

import pandas as pd

from stilts.report.drawing.axis import Scale, draw_axis_below, in_points
from stilts.report.drawing.colour import GAIN, LOSS, NEUTRAL
from stilts.report.drawing.marks import Form, interval, mark
from stilts.report.drawing.scene import FAINT_INK, Scene
from stilts.report.drawing.text import shortened, text_width
from stilts.report.figures.key import Meaning, key, with_key
from stilts.report.figures.picture import PORTRAIT, PORTRAIT_HEIGHT, Picture, chunks
from stilts.study.record import NONE_ROW, StudyRecord

_GAP, _LINE, _NAMES, _FIGURES = 12.0, 11.5, 92.0, 76.0
_PANEL = (PORTRAIT - _GAP) / 2
_MOST_LINES = int((PORTRAIT_HEIGHT - 90) / _LINE)


def forest_plot(data: pd.DataFrame, record: StudyRecord) -> Picture:
    """One panel per target, rows by gain; ``data`` is ``matrix_data``'s.

    A filled mark belongs to the rows that cannot be told from the best, a diamond is the chosen row; a dashed interval
    is conditional on the seeds that were trained. A row without a number says its state.
    """
    panels = [panel for _, part in data.groupby("column", sort=False) for panel in _panels(part)]
    return Picture(
        name="forest",
        title="Gains per target",
        headline=f"{record.name}: gain over {NONE_ROW} on each target, in points",
        caption=f"Gain of every row over {NONE_ROW} (the line at 0) with its 95 % interval, in points; each target has "
        "a scale of its own.",
        bands=tuple(with_key(panels, 2, partial(_key, data), gap=_GAP)),
        panels=(*panels, _key(data, _PANEL)),
        data=data,
    )


def _panels(cells: pd.DataFrame) -> list[Scene]:
    """The panel of one target; more than one where its rows do not fit a page."""
    order = cells.assign(at=cells["gain"].fillna(-1e9)).sort_values("at", ascending=False, kind="stable")
    values = [*cells["low"].dropna(), *cells["high"].dropna(), *cells["gain"].dropna()]
    scale = Scale.around(values, _NAMES, _PANEL - _FIGURES - 4, least=1.0)
    runs = chunks(len(order), _MOST_LINES)
    return [
        _panel(order.iloc[list(run)], scale, number + 1 if len(runs) > 1 else None) for number, run in enumerate(runs)
    ]


def _panel(cells: pd.DataFrame, scale: Scale, part: int | None) -> Scene:
    head = 20.0
    scene = Scene(width=_PANEL, height=head + len(cells) * _LINE + 16)
    name = str(cells["column"].iloc[0]) + (f" ({part})" if part else "")
    scene.text(4, 8, shortened(name, _PANEL - 8, 8.5, bold=True), size=8.5, bold=True)
    bottom = head + len(cells) * _LINE
    draw_axis_below(scene, scale, head - 2, bottom)
    for at, (_, cell) in enumerate(cells.iterrows()):
        _line(scene, cell, head + (at + 0.5) * _LINE, scale)
    return scene


def _line(scene: Scene, cell: pd.Series, y: float, scale: Scale) -> None:
    chance = " ~" if cell["near_chance"] and not pd.isna(cell["score"]) else ""
    name = shortened(str(cell["row"]), _NAMES - 8 - text_width(chance, 7.5), 7.5, bold=bool(cell["chosen"])) + chance
    scene.text(_NAMES - 4, y, name, size=7.5, anchor="end", bold=bool(cell["chosen"]))
    if pd.isna(cell["gain"]):
        scene.text(_PANEL - _FIGURES, y, str(cell["state"]), size=7.0, colour=FAINT_INK)
        return
    colour = _colour(cell)
    if not pd.isna(cell["low"]):
        ends = scale.at(float(cell["low"])), scale.at(float(cell["high"]))
        interval(scene, y, *ends, colour=colour, dashed=bool(cell["conditional"]))
    form: Form = "diamond" if cell["chosen"] else "square" if cell["row"] == NONE_ROW else "circle"
    figures = _figures(cell)
    mark(
        scene,
        scale.at(float(cell["gain"])),
        y,
        form,
        colour=colour,
        filled=bool(cell["equal"]),
        hint=f"{cell['row']}: score {cell['score']:.2f} {figures}",
    )
    scene.text(_PANEL - _FIGURES, y, figures, size=7.0)


def _figures(cell: pd.Series) -> str:
    if cell["row"] == NONE_ROW:
        return f"score {cell['score']:.1f}"
    if pd.isna(cell["low"]):
        return in_points(cell["gain"])
    return f"{in_points(cell['gain'])} [{cell['low']:.1f}, {cell['high']:.1f}]"


def _colour(cell: pd.Series) -> str:
    """Blue and red where the interval leaves out 0, so that colour repeats what the position says.

    A row of one model, or one near guessing, has no colour: its interval says nothing of the recipe.
    """
    if pd.isna(cell["low"]) or cell["low"] <= 0 <= cell["high"] or cell["conditional"] or cell["near_chance"]:
        return NEUTRAL
    return GAIN if cell["low"] > 0 else LOSS


def _key(data: pd.DataFrame, width: float) -> Scene:
    entries = (
        Meaning(form="circle", words="cannot be told from the best"),
        Meaning(form="circle", words="can be told from the best", filled=False),
        Meaning(form="diamond", words="chosen on select", filled=bool(data[data["chosen"]]["equal"].all())),
        Meaning(form="square", words=f"the row {NONE_ROW}, filled likewise"),
    )
    notes = (
        "dashed: conditional on the seeds that were trained" if data["conditional"].any() else "",
        "~ near chance" if data["near_chance"].any() else "",
        "blue or red: the interval leaves out 0",
    )
    return key(entries, "; ".join(filter(None, notes)), width)
