"""A figure's key: what its marks mean, in as many lines as its width asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stilts.report.drawing.colour import NEUTRAL
from stilts.report.drawing.marks import Form, mark
from stilts.report.drawing.scene import FAINT_INK, Scene
from stilts.report.drawing.text import text_width
from stilts.report.figures.picture import PORTRAIT, grid, paragraph, stacked

_LINE, _SIZE = 13.0, 7.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A mark and its meaning."""

    form: Form
    words: str
    colour: str = NEUTRAL
    filled: bool = True


def key(entries: Sequence[Meaning], note: str, width: float) -> Scene:
    """The entries side by side while they fit, then the note."""
    places: list[tuple[float, float]] = []
    left, top = 8.0, 8.0
    for entry in entries:
        room = 6 + text_width(entry.words, _SIZE)
        if places and left + room > width - 2:
            left, top = 8.0, top + _LINE
        places.append((left, top))
        left += room + 14
    scene = Scene(width=width, height=top + 8)
    for entry, (x, y) in zip(entries, places, strict=True):
        mark(scene, x, y, entry.form, colour=entry.colour, filled=entry.filled)
        scene.text(x + 6, y, entry.words, size=_SIZE, colour=FAINT_INK)
    return stacked([scene, paragraph(note, width, size=_SIZE)])


def with_key(panels: Sequence[Scene], across: int, make: Callable[[float], Scene], *, gap: float) -> list[Scene]:
    """Bands of panels with their key: where the last band leaves a place, else below, as wide as a page."""
    if len(panels) % across:
        return grid([*panels, make(panels[0].width)], across, gap=gap)
    bands = grid(panels, across, gap=gap)
    bands[-1] = stacked([bands[-1], make(PORTRAIT)])
    return bands
