"""The matrix as a picture: colour says the gain, text says everything, so print and colour blindness lose nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from stilts.report import phrases
from stilts.report.drawing.axis import in_points
from stilts.report.drawing.colour import mixed
from stilts.report.drawing.scene import INK, Point, Scene
from stilts.report.drawing.text import breaks_well, fold, text_width
from stilts.report.figures.matrix_data import half_width
from stilts.report.figures.picture import (
    LANDSCAPE,
    LANDSCAPE_HEIGHT,
    NARROW,
    PORTRAIT,
    PORTRAIT_HEIGHT,
    Picture,
    chunks,
    paragraph,
    stacked,
)
from stilts.report.figures.shades import PALE, colour_limit, ink, scale_bar, shade
from stilts.study.record import StudyRecord

HATCHED = "hatched: the row shares data or source text with this target (overlap)"
INFINITE = 1e9
_LEGEND_ROOM = 62.0
_WIDEST_CELL = 220.0
_MOST_NARROW = 12  # columns that a narrow screen shows in roomy cells
_LONGEST_UPRIGHT = 100.0  # points, of a column's name in one line


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wording:
    """How much a cell says, and how large: ``roomy`` cells say the score too, and how many replicates are done.

    Where it ``spells_states``, a cell that is not complete says why; elsewhere an exclamation mark stands for it.
    """

    roomy: bool
    spells_states: bool
    size: float
    least_cell: float
    padding: float
    longest_name: float


# From the most to the least; a matrix takes the first with which it fits one page, else the last.
_WORDINGS = (
    _Wording(roomy=True, spells_states=True, size=8.0, least_cell=44.0, padding=8.0, longest_name=140.0),
    _Wording(roomy=True, spells_states=False, size=7.0, least_cell=30.0, padding=4.0, longest_name=110.0),
    _Wording(roomy=False, spells_states=False, size=7.0, least_cell=27.0, padding=2.5, longest_name=100.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What all bands share: sizes in points, how cells are worded, which columns and rows stand together."""

    wording: _Wording
    names: float
    head: float
    cell: float
    height: float
    columns: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]
    limit: float
    least: float  # the width that the legend wants

    @property
    def roomy(self) -> bool:
        return self.wording.roomy

    @property
    def size(self) -> float:
        return self.wording.size

    @property
    def leading(self) -> float:
        return self.size * 1.28

    @property
    def width(self) -> float:
        return max(self.names + self.cell * max(map(len, self.columns)) + 4, self.least)

    @property
    def is_one_band(self) -> bool:
        return len(self.columns) == len(self.rows) == 1


def heat_map(data: pd.DataFrame, record: StudyRecord) -> Picture:
    """Rows x columns coloured by gain, symmetric around 0; ``data`` is ``matrix_data``'s.

    A cell shows score, gain and the half width of its 95 % interval, or its state where it has no number; large
    matrices leave the score to the file with the data. Overlaps are hatched, the chosen row is framed, and what is not
    beyond chance is pale. A matrix that does not fit a page is drawn whole for the screen and in bands for print.
    """
    layout = _layout(data)
    bands = _bands(data, layout)
    whole = () if layout.is_one_band else _bands(data, _whole_layout(data))
    return Picture(
        name="heatmap",
        title="Gains of every cell",
        headline=phrases.title(record),
        caption=_reading(layout, data),
        bands=bands,
        whole=whole,
        narrow=_bands(data, _narrow_layout(data)),
        data=data,
    )


def _bands(data: pd.DataFrame, layout: _Layout) -> tuple[Scene, ...]:
    by_cell = phrases.cells_by_name(data)
    bands = [_band(by_cell, layout, columns, rows) for columns in layout.columns for rows in layout.rows]
    bands[-1] = stacked([bands[-1], _legend(data, layout)])
    return tuple(bands)


def _layout(data: pd.DataFrame) -> _Layout:
    for wording in _WORDINGS[:-1]:
        layout = _worded(data, wording, LANDSCAPE, None)
        if layout.is_one_band:
            return layout
    return _worded(data, _WORDINGS[-1], LANDSCAPE, None)


def _whole_layout(data: pd.DataFrame) -> _Layout:
    """Everything in one band, as densely as cells can be worded."""
    return _worded(data, _WORDINGS[-1], INFINITE, INFINITE)


def _narrow_layout(data: pd.DataFrame) -> _Layout:
    """A few columns to a band, all rows below one another."""
    wording = _WORDINGS[0] if data["column"].nunique() <= _MOST_NARROW else _WORDINGS[-1]
    return _worded(data, replace(wording, longest_name=78.0), NARROW, INFINITE, fill=NARROW)


def _worded(
    data: pd.DataFrame, wording: _Wording, most_width: float, most_height: float | None, *, fill: float = PORTRAIT
) -> _Layout:
    """The layout of this wording; cells grow until a band is ``fill`` wide."""
    rows, columns = list(dict.fromkeys(data["row"])), list(dict.fromkeys(data["column"]))
    lines = [_lines(cell, wording) for _, cell in data.iterrows()]
    widest = max(text_width(text, wording.size, bold=strong) for cell in lines for text, strong in cell)
    cell = max(widest + wording.padding, wording.least_cell)
    names = min(max(text_width(name, wording.size + 0.5) for name in rows) + 8, wording.longest_name)
    height = max(map(len, lines)) * wording.size * 1.28 + wording.padding * 0.75
    per_band = chunks(len(columns), int((most_width - names - 4) // cell))
    across = max(map(len, per_band))
    cell = max(cell, min((fill - names - 4) / across, _WIDEST_CELL))
    width = names + cell * across + 4
    head = max(_head_height(name, cell) for name in columns)
    page = most_height or (PORTRAIT_HEIGHT if width <= PORTRAIT else LANDSCAPE_HEIGHT)
    return _Layout(
        wording=wording,
        names=names,
        head=head,
        cell=cell,
        height=height,
        columns=tuple(tuple(columns[i] for i in run) for run in per_band),
        rows=tuple(
            tuple(rows[i] for i in run) for run in chunks(len(rows), int((page - head - _LEGEND_ROOM) // height))
        ),
        limit=colour_limit(data),
        least=min(fill, 330.0),
    )


def _lines(cell: pd.Series, wording: _Wording) -> list[tuple[str, bool]]:
    """What a cell says from the top, and whether it is set bold."""
    figures, marks = phrases.cell_figures(cell), str(cell["marks"]).replace("x", "")
    gain = in_points(float(cell["gain"])) if figures.gain else ""
    if pd.isna(cell["score"]):
        return [(figures.score, False)]
    progress = figures.progress
    if progress and not wording.spells_states:
        progress = f"{cell['num_done']}/{cell['num_planned']}!"
    if wording.roomy:
        shown = [f"{figures.score} {marks}".strip(), gain, half_width(cell), progress]
        return [(text, bool(cell["chosen"]) and at < 2) for at, text in enumerate(shown) if text]
    first = "".join(mark for mark in marks if mark in "*o")
    rest = "".join(mark for mark in marks if mark not in "*o") + ("!" if figures.progress else "")
    shown = [(gain or figures.score) + first, half_width(cell) + rest]
    return [(text, bool(cell["chosen"]) and not at) for at, text in enumerate(shown) if text]


def _band(by_cell: phrases.CellIndex, layout: _Layout, columns: tuple[str, ...], rows: tuple[str, ...]) -> Scene:
    scene = Scene(width=layout.width, height=layout.head + layout.height * len(rows) + 6)
    for x, column in enumerate(columns):
        _column_name(scene, column, layout.names + (x + 0.5) * layout.cell, layout)
    for y, row in enumerate(rows):
        top = layout.head + y * layout.height
        _row_name(scene, row, top + layout.height / 2, layout)
        for x, column in enumerate(columns):
            _draw_cell(scene, by_cell[row, column], layout.names + x * layout.cell, top, layout)
    return scene


def _draw_cell(scene: Scene, cell: pd.Series, left: float, top: float, layout: _Layout) -> None:
    colour = shade(cell, layout.limit)
    text_ink = ink(cell, colour)
    scene.box(left + 0.5, top + 0.5, layout.cell - 1, layout.height - 1, colour, hint=_hint(cell))
    lines = _lines(cell, layout.wording)
    middle = top + layout.height / 2
    if not pd.isna(cell["overlap"]):
        strokes = _hatch(left + 0.5, top + 0.5, layout.cell - 1, layout.height - 1, gap=5.0)
        scene.lines(strokes, colour=mixed(colour, text_ink, 0.55), width=0.6)
        plate = max(text_width(text, layout.size, bold=strong) for text, strong in lines) + 2
        tall = len(lines) * layout.leading
        scene.box(left + (layout.cell - plate) / 2, middle - tall / 2, plate, tall, colour, hint=_hint(cell))
    if cell["chosen"]:
        scene.box(left + 1, top + 1, layout.cell - 2, layout.height - 2, None, stroke=INK)
    for at, (text, strong) in enumerate(lines):
        y = middle + (at - (len(lines) - 1) / 2) * layout.leading
        size = layout.size if at < 2 else max(7.0, layout.size - 0.5)
        scene.text(left + layout.cell / 2, y, text, size=size, anchor="middle", colour=text_ink, bold=strong)


def _hint(cell: pd.Series) -> str:
    name = f"{cell['row']} > {cell['column']}"
    if pd.isna(cell["score"]):
        return f"{name}: {cell['state']}, {cell['num_done']} of {cell['num_planned']} replicates done"
    gain = "" if pd.isna(cell["low"]) else f", gain {cell['gain']:+.2f} [{cell['low']:+.2f}, {cell['high']:+.2f}]"
    return f"{name}: score {cell['score']:.2f}{gain}, {cell['num_done']} of {cell['num_planned']} replicates"


def _hatch(left: float, top: float, width: float, height: float, *, gap: float) -> list[tuple[Point, ...]]:
    """Rising strokes over a rectangle, cut at its edges."""
    strokes: list[tuple[Point, ...]] = []
    shift = gap
    while shift < width + height:
        start = (left + min(shift, width), top + max(0.0, shift - width))
        stop = (left + max(0.0, shift - height), top + min(shift, height))
        strokes.append((start, stop))
        shift += gap
    return strokes


def _head_height(name: str, cell: float) -> float:
    if breaks_well(name, cell - 3, 7.5, lines=3):
        return len(fold(name, cell - 3, 7.5, lines=3)) * 9.5 + 6
    return max(text_width(line, 7.5) for line in _upright_lines(name, cell)) + 8


def _upright_lines(name: str, cell: float) -> list[str]:
    """The name in one line, or in two of nearly equal length where it is long."""
    whole = text_width(name, 7.5)
    if whole <= _LONGEST_UPRIGHT:
        return [name]
    return fold(name, max(whole * 0.6, _LONGEST_UPRIGHT * 0.6), 7.5, lines=max(1, int(cell // 10)))


def _column_name(scene: Scene, name: str, x: float, layout: _Layout) -> None:
    if breaks_well(name, layout.cell - 3, 7.5, lines=3):
        lines = fold(name, layout.cell - 3, 7.5, lines=3)
        for at, line in enumerate(lines):
            scene.text(x, layout.head - 6 - (len(lines) - 1 - at) * 9.5, line, size=7.5, anchor="middle")
        return
    lines = _upright_lines(name, layout.cell)
    for at, line in enumerate(lines):
        scene.text(x + (at - (len(lines) - 1) / 2) * 9.5, layout.head - 3, line, size=7.5, upright=True)


def _row_name(scene: Scene, name: str, y: float, layout: _Layout) -> None:
    size = layout.size + 0.5 if layout.roomy else 7.0
    lines = fold(name, layout.names - 6, size, lines=max(1, int(layout.height // (size * 1.2))))
    for at, line in enumerate(lines):
        place = y + (at - (len(lines) - 1) / 2) * size * 1.2
        scene.text(layout.names - 4, place, line, size=size, anchor="end")


def _legend(data: pd.DataFrame, layout: _Layout) -> Scene:
    """The colour scale above what the marks mean."""
    return stacked([scale_bar(layout.limit, layout.width), paragraph(_marks_meaning(data, layout), layout.width)])


def _marks_meaning(data: pd.DataFrame, layout: _Layout) -> str:
    said = phrases.legend(str(marks).replace("x", "") for marks in data["marks"])
    partly = bool((data["score"].notna() & (data["state"] != "done")).any())
    parts = [
        "framed: chosen" if data["chosen"].any() else "",
        said,
        PALE if (data["gain"].notna() & ~data["claimed"]).any() else "",
        HATCHED if data["overlap"].notna().any() else "",
        "! some replicates are not done" if partly and not layout.wording.spells_states else "",
    ]
    return "; ".join(part for part in parts if part)


def _reading(layout: _Layout, data: pd.DataFrame) -> str:
    first = "score, gain" if layout.roomy else "gain (the score in the row none)"
    told = (
        f"In each cell: {first} and the half width of the gain's 95 % interval, in points. A cell without a number "
        "says its state; nothing is averaged over what is not done."
    )
    given = " Some intervals are conditional on the seeds that were trained."
    return told + (given if data["conditional"].any() else "")
