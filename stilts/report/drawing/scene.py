"""Scene: one picture as a list of shapes; a picture of several scenes is a stack of bands, each fit for a page.

Shapes hold all that a writer needs. Sizes are points, y grows downwards, colours are ``#rrggbb``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from stilts.report.drawing.text import ASCENT, DESCENT, MIDDLE, text_width
from stilts.shown import shown

Point: TypeAlias = tuple[float, float]
# left, top, right, bottom
Extent: TypeAlias = tuple[float, float, float, float]
Anchor: TypeAlias = Literal["start", "middle", "end"]

INK, FAINT_INK, RULE = "#1a1a1a", "#555555", "#c8c8c8"
SMALLEST = 7.0  # points: the least that stays legible in print; nothing is set smaller


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, ``x`` at its anchor, ``y`` at the middle of its figures; ``upright`` reads from below."""

    x: float
    y: float
    text: str
    size: float
    anchor: Anchor
    colour: str
    bold: bool
    upright: bool

    @property
    def extent(self) -> Extent:
        """The box that the text fills."""
        width = text_width(self.text, self.size, bold=self.bold)
        before = {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        above, below = (ASCENT - MIDDLE) * self.size, (DESCENT + MIDDLE) * self.size
        if self.upright:
            return self.x - above, self.y + before - width, self.x + below, self.y + before
        return self.x - before, self.y - above, self.x - before + width, self.y + below

    @property
    def base(self) -> Point:
        """Where the base line meets the anchor."""
        shift = MIDDLE * self.size
        return (self.x + shift, self.y) if self.upright else (self.x, self.y + shift)


@dataclass(frozen=True, slots=True)
class Shape:
    """Closed or open lines: each part of ``parts`` is a run of points. ``hint`` is shown under a pointer."""

    parts: tuple[tuple[Point, ...], ...]
    fill: str | None
    stroke: str | None
    width: float
    dashed: bool
    closed: bool
    hint: str

    @property
    def extent(self) -> Extent:
        """The box around all points, without the width of the line."""
        xs = [x for part in self.parts for x, _ in part]
        ys = [y for part in self.parts for _, y in part]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A picture being drawn: its size, and shapes from the back to the front."""

    width: float
    height: float
    shapes: list[Text | Shape] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 8.0,
        anchor: Anchor = "start",
        colour: str = INK,
        bold: bool = False,
        upright: bool = False,
    ) -> Text:
        """Adds a line of text; an empty one adds nothing."""
        placed = Text(x, y, shown(text), max(size, SMALLEST), anchor, colour, bold, upright)
        if text:
            self.shapes.append(placed)
        return placed

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | None,
        *,
        stroke: str | None = None,
        hint: str = "",
    ) -> None:
        """Adds a rectangle."""
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        self.shapes.append(Shape((corners,), fill, stroke, 0.75, False, True, hint))

    def line(self, *points: Point, colour: str = INK, width: float = 0.75, dashed: bool = False) -> None:
        """Adds an open line through the points."""
        self.shapes.append(Shape((points,), None, colour, width, dashed, False, ""))

    def lines(self, parts: Sequence[tuple[Point, ...]], *, colour: str = INK, width: float = 0.75) -> None:
        """Adds many lines of one look as one shape."""
        if parts:
            self.shapes.append(Shape(tuple(parts), None, colour, width, False, False, ""))

    def outline(
        self,
        points: Sequence[Point],
        *,
        fill: str | None,
        stroke: str | None = INK,
        width: float = 0.75,
        hint: str = "",
    ) -> None:
        """Adds a closed polygon."""
        self.shapes.append(Shape((tuple(points),), fill, stroke, width, False, True, hint))

    def place(self, other: Scene, x: float, y: float) -> None:
        """Adds another scene's shapes with its corner at (x, y)."""
        self.shapes += [_moved(shape, x, y) for shape in other.shapes]

    @property
    def texts(self) -> list[Text]:
        """The texts alone, to check where they lie."""
        return [shape for shape in self.shapes if isinstance(shape, Text)]


def _moved(shape: Text | Shape, dx: float, dy: float) -> Text | Shape:
    if isinstance(shape, Text):
        return replace(shape, x=shape.x + dx, y=shape.y + dy)
    return replace(shape, parts=tuple(tuple((x + dx, y + dy) for x, y in part) for part in shape.parts))
