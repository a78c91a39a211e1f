"""Picture: a drawn figure with the table that it was drawn from, and how its panels are laid out on pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from stilts.report.drawing.scene import FAINT_INK, Scene
from stilts.report.drawing.text import fold

# What fits A4 and US letter inside 12 mm margins, upright and across, in points: drawn at this size and printed at this
# size, so that the smallest text keeps its points.
PORTRAIT, LANDSCAPE = 520.0, 720.0
PORTRAIT_HEIGHT, LANDSCAPE_HEIGHT = 690.0, 470.0
NARROW = 250.0  # a telephone's 390 CSS pixels less the margins, drawn a little larger than it is printed
LEADING = 1.35  # lines of running text, in sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure: ``name`` is its file's, ``caption`` what to read in it; ``bands`` stand below one another.

    A band is never taller or wider than a page, so a print breaks between bands and shrinks none. ``whole`` is what a
    screen shows instead, where cutting into bands would hurt, ``narrow`` what a telephone shows. ``panels`` are the
    parts of a picture that a page may lay out in as many columns as it has room for. ``headline`` stands above the
    picture where it is a file of its own. ``data`` holds every number that is drawn.
    """

    name: str
    title: str
    headline: str
    caption: str
    bands: tuple[Scene, ...]
    data: pd.DataFrame
    whole: tuple[Scene, ...] = ()
    narrow: tuple[Scene, ...] = ()
    panels: tuple[Scene, ...] = ()

    @property
    def on_screen(self) -> tuple[Scene, ...]:
        """The scenes of the undivided picture below its headline, as its files hold them."""
        first, *rest = self.whole or self.bands
        return (stacked([heading(self.headline, first.width), first]), *rest)

    @property
    def is_wide(self) -> bool:
        """Whether it takes a page in landscape to print at full size."""
        return max(band.width for band in self.bands) > PORTRAIT


def heading(text: str, width: float, *, size: float = 9.5) -> Scene:
    """A picture's title as a scene, folded into the width."""
    return paragraph(text, width, size=size, bold=True, colour="#1a1a1a", below=5.0)


def paragraph(
    text: str, width: float, *, size: float = 7.5, bold: bool = False, colour: str = FAINT_INK, below: float = 2.0
) -> Scene:
    """Running text as a scene of that width, as tall as its lines."""
    lines = fold(text, width - 8, size, lines=99, bold=bold, prose=True) if text else []
    scene = Scene(width=width, height=len(lines) * size * LEADING + (below if lines else 0.0))
    for at, line in enumerate(lines):
        scene.text(4, (at + 0.5) * size * LEADING, line, size=size, bold=bold, colour=colour)
    return scene


def stacked(scenes: Sequence[Scene]) -> Scene:
    """One scene with the given ones below one another."""
    whole = Scene(width=max(scene.width for scene in scenes), height=sum(scene.height for scene in scenes))
    top = 0.0
    for scene in scenes:
        whole.place(scene, 0.0, top)
        top += scene.height
    return whole


def grid(panels: Sequence[Scene], number: int, *, gap: float = 10.0) -> list[Scene]:
    """Bands of ``number`` panels side by side, each band as tall as its tallest panel."""
    bands = []
    for start in range(0, len(panels), number):
        row = panels[start : start + number]
        width = sum(panel.width for panel in panels[:number]) + gap * (min(number, len(panels)) - 1)
        band = Scene(width=width, height=max(panel.height for panel in row) + gap)
        left = 0.0
        for panel in row:
            band.place(panel, left, 0.0)
            left += panel.width + gap
        bands.append(band)
    return bands


def chunks(number: int, most: int) -> list[range]:
    """Indices in as few runs of at most ``most`` as there can be, of nearly equal length."""
    runs = max(1, -(-number // max(1, most)))
    edges = [round(at * number / runs) for at in range(runs + 1)]
    return [range(start, stop) for start, stop in pairwise(edges)]
