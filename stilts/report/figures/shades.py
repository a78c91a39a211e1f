"""The heat map's colours: full where a gain is beyond chance, pale where it is not, and the scale beside them."""

from __future__ import annotations

import pandas as pd

from stilts.ledger.state import State
from stilts.report.drawing.colour import NO_NUMBER, diverging, ink_on, mixed
from stilts.report.drawing.scene import FAINT_INK, Anchor, Scene
from stilts.study.record import NONE_ROW

GAIN_LABEL = f"gain over {NONE_ROW}, points"
PALE = "pale: not beyond chance with all cells of the matrix together"
LEAST_LIMIT_PP = 1.0  # The colours span at least this much, so that a matrix of tiny gains looks as flat as it is.
_MIDDLE = 0.9  # of the gains lie within the colours where none is beyond chance: one wild cell does not set them
_PALENESS = 0.85


def colour_limit(data: pd.DataFrame) -> float:
    """The gain at which the colours end: the largest that is beyond chance, so that no uncertain cell sets the scale.

    Where none is, the largest but for a tenth of the complete cells; ``data`` is ``matrix_data``'s.
    """
    gains = data["gain"].abs()
    claimed = gains[data["claimed"]].dropna()
    complete = gains[(data["state"] == State.DONE) & (data["row"] != NONE_ROW)].dropna()
    limit = float(claimed.max()) if len(claimed) else float(complete.quantile(_MIDDLE)) if len(complete) else 0.0
    return max(limit, LEAST_LIMIT_PP)


def shade(cell: pd.Series, limit: float) -> str:
    """The colour of a cell; what lies beyond the limit has the colour of its end."""
    if pd.isna(cell["gain"]):
        return NO_NUMBER
    full = diverging(float(cell["gain"]), limit)
    return full if cell["claimed"] else mixed(full, diverging(0.0, limit), _PALENESS)


def ink(cell: pd.Series, colour: str) -> str:
    """What is written on a cell of this colour: grey where the gain is not beyond chance, as pale as the cell."""
    pale = not pd.isna(cell["gain"]) and not cell["claimed"] and cell["row"] != NONE_ROW
    return FAINT_INK if pale else ink_on(colour)


def scale_bar(limit: float, width: float) -> Scene:
    """The colours from loss to gain with their ends."""
    bar = Scene(width=width, height=30.0)
    left, wide, steps = 8.0, min(200.0, width * 0.5), 40
    for step in range(steps):
        value = ((step + 0.5) / steps * 2 - 1) * limit
        overlap = 0.8 if step < steps - 1 else 0.0
        bar.box(left + wide * step / steps, 5.0, wide / steps + overlap, 8.0, diverging(value, limit))
    ends: tuple[tuple[float, Anchor, str], ...] = (
        (0.0, "start", f"{-limit:+z.1f}"),
        (0.5, "middle", "0"),
        (1.0, "end", f"{limit:+z.1f}"),
    )
    for share, anchor, label in ends:
        bar.text(left + wide * share, 20.0, label, size=7.0, anchor=anchor, colour=FAINT_INK)
    bar.text(left + wide + 8, 9.0, GAIN_LABEL, size=7.5, colour=FAINT_INK)
    return bar
