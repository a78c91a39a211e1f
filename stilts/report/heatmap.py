"""The matrix as a picture: colour says the gain, text says everything, so that print and colour blindness lose nothing.

matplotlib is imported when a picture is drawn, and only its object interface is used: no window system, no state
shared with a notebook's own figures.
"""

from __future__ import annotations

import io
import math
import textwrap
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from stilts.report import phrases
from stilts.study.record import NONE_ROW, StudyRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

Colour: TypeAlias = tuple[float, float, float]

# Red to blue through white, which ColorBrewer lists as safe for the common colour blindnesses.
COLOUR_MAP = "RdBu"
NO_NUMBER: Colour = (0.92, 0.92, 0.92)
GAIN_LABEL = f"gain over {NONE_ROW}, points"
HATCHED = "hatched: the row has seen this target's own data (overlap)"
LEAST_LIMIT_PP = 1.0  # The colours span at least this much, so that a matrix of tiny gains looks as flat as it is.
MIN_WIDTH, CELL_WIDTH, CELL_HEIGHT, CHAR_WIDTH = 5.6, 0.92, 0.66, 0.085  # inches; CHAR_WIDTH at 10 points
LONG_NAME = 10  # characters of a column's name that fit above a cell


def heat_map(cells: pd.DataFrame, record: StudyRecord, *, format: Literal["png", "svg"] = "png") -> bytes:
    """The picture of ``matrix.cells``: rows x columns coloured by gain, symmetric around 0.

    Every cell shows its score and signed gain, or its state where it has no number; overlaps are hatched, marks are
    those of the tables. The same cells give the same bytes.
    """
    from matplotlib import rc_context

    # SVG text stays text (small, searchable); the salt keeps the ids of its parts equal from run to run.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "stilts", "font.family": ["sans-serif"]}):
        figure = _draw(cells, record)
        written = io.BytesIO()
        absent = ("Date", "Creator", "Format", "Type") if format == "svg" else ("Software",)
        figure.savefig(written, format=format, dpi=150, metadata=dict.fromkeys(absent))
    return written.getvalue()


def _draw(cells: pd.DataFrame, record: StudyRecord) -> Figure:
    from matplotlib.figure import Figure

    rows, columns = list(cells["row"].unique()), list(cells["column"].unique())
    longest = max(map(len, rows))
    width = max(MIN_WIDTH, CHAR_WIDTH * longest + CELL_WIDTH * len(columns) + 1.3)
    slanted = 0.06 * max(map(len, columns)) if max(map(len, columns)) > LONG_NAME else 0.0
    figure = Figure(figsize=(width, 1.5 + slanted + CELL_HEIGHT * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    colours = _colours(cells)
    for _, cell in cells.iterrows():
        _draw_cell(axes, cell, columns.index(cell["column"]), rows.index(cell["row"]), colours)
    _label(axes, rows, columns)
    bar = figure.colorbar(colours, ax=axes, fraction=0.05, pad=0.02, aspect=8 + 3 * len(rows))
    bar.set_label(GAIN_LABEL)
    per_line = int(width / 0.088)
    _around(figure, textwrap.fill(phrases.title(record), per_line), textwrap.fill(_legend(cells), int(per_line * 1.25)))
    return figure


def _colours(cells: pd.DataFrame) -> ScalarMappable:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    largest = cells["gain"].abs().max()
    limit = LEAST_LIMIT_PP if pd.isna(largest) else max(float(largest), LEAST_LIMIT_PP)
    return ScalarMappable(Normalize(-limit, limit), COLOUR_MAP)


def _draw_cell(axes: Axes, cell: pd.Series, x: int, y: int, colours: ScalarMappable) -> None:
    from matplotlib.patches import Rectangle

    colour = _colour(cell, colours)
    style: dict[str, Any] = {"color": _ink(colour), "ha": "center", "va": "center", "parse_math": False}
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5))
    if not pd.isna(cell["overlap"]):
        inner = Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, fill=False, hatch="///", linewidth=0)
        inner.set_edgecolor((*((0.0,) * 3 if style["color"] == "black" else (1.0,) * 3), 0.45))
        axes.add_patch(inner)
        style["bbox"] = {"facecolor": colour, "edgecolor": "none", "pad": 0.8}  # keeps the hatch off the figures
    for text, size, offset in _lines(cell):
        axes.text(x, y + offset, text, fontsize=size, **style)


def _lines(cell: pd.Series) -> list[tuple[str, float, float]]:
    """What a cell says, from the top: text, size in points, and how far below its middle in cell heights."""
    figures, marks = phrases.cell_figures(cell), _marks(cell)
    first = figures.score + (f" {marks}" if marks else "")
    shown = [(t, size) for t, size in ((first, 9.5), (figures.gain, 8.5), (figures.progress, 7.0)) if t]
    middle = (len(shown) - 1) / 2
    return [(text, size, 0.27 * (number - middle)) for number, (text, size) in enumerate(shown)]


def _colour(cell: pd.Series, colours: ScalarMappable) -> Colour:
    if math.isnan(cell["gain"]):
        return NO_NUMBER
    red, green, blue = colours.to_rgba(np.array([cell["gain"]]))[0, :3].tolist()
    return red, green, blue


def _ink(colour: Colour) -> str:
    """Black or white, whichever stands out more: WCAG 2's contrast ratios are equal at a luminance of 0.179."""
    red, green, blue = (part**2.2 for part in colour)
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"


def _marks(cell: pd.Series) -> str:
    return phrases.marks(cell).replace("x", "")  # An overlap is hatched instead.


def _legend(cells: pd.DataFrame) -> str:
    said = phrases.legend(_marks(cell) for _, cell in cells.iterrows())
    return "; ".join(part for part in (said, HATCHED if cells["overlap"].notna().any() else "") if part)


def _label(axes: Axes, rows: list[str], columns: list[str]) -> None:
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.xaxis.tick_top()
    slant: dict[str, Any] = (
        {"rotation": 30, "ha": "left", "rotation_mode": "anchor"} if max(map(len, columns)) > LONG_NAME else {}
    )
    axes.set_xticks(range(len(columns)), columns, parse_math=False, **slant)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _around(figure: Figure, title: str, legend: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, parse_math=False)
    if legend:
        figure.supxlabel(legend, x=0.01, ha="left", fontsize=8, color="0.3", parse_math=False)
