"""Marks for points, told apart by shape; filled or hollow says a second thing."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from stilts.report.drawing.scene import INK, Point, Scene

Form: TypeAlias = Literal["circle", "diamond", "square", "up", "down", "cross"]

_CORNERS: dict[str, tuple[Point, ...]] = {
    "circle": tuple((math.cos(a * math.pi / 10), math.sin(a * math.pi / 10)) for a in range(20)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "up": ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    "down": ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
}


def mark(
    scene: Scene,
    x: float,
    y: float,
    form: Form,
    *,
    colour: str = INK,
    filled: bool = True,
    radius: float = 2.6,
    hint: str = "",
) -> None:
    """Adds a mark centred at (x, y); hollow ones are white inside, so that lines behind them end at the rim."""
    if form == "cross":
        r = radius
        scene.lines([((x - r, y - r), (x + r, y + r)), ((x - r, y + r), (x + r, y - r))], colour=colour, width=1.2)
        return
    points = [(x + radius * dx, y + radius * dy) for dx, dy in _CORNERS[form]]
    scene.outline(points, fill=colour if filled else "#ffffff", stroke=colour, width=1.0, hint=hint)


def interval(scene: Scene, y: float, low: float, high: float, *, colour: str = INK, dashed: bool = False) -> None:
    """Adds a horizontal interval with end caps; dashed where it is conditional on something."""
    scene.line((low, y), (high, y), colour=colour, width=1.1, dashed=dashed)
    scene.lines([((low, y - 2), (low, y + 2)), ((high, y - 2), (high, y + 2))], colour=colour, width=1.1)
