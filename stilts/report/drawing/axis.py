"""A linear scale with round numbers on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from stilts.report.drawing.scene import FAINT_INK, RULE, Scene
from stilts.report.drawing.text import text_width

TICK_SIZE = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from ``low`` to ``high`` onto points from ``start`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, stop: float, *, least: float, zero: bool = True) -> Scale:
        """A scale that holds all values (and 0), spans at least ``least``, and leaves a little room at the ends."""
        known = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min([*known, 0.0] if zero else known), max([*known, 0.0] if zero else known)
        short = max(0.0, least - (high - low)) / 2
        room = max(high - low, least) * 0.06
        return cls(low=low - short - room, high=high + short + room, start=start, stop=stop)

    def at(self, value: float) -> float:
        """Where a value lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self, room: float | None = None) -> list[float]:
        """Round values, as many as leave their labels apart: by ``room`` points, else by the labels' own widths."""
        rough = (self.high - self.low) / 12
        power = 10.0 ** math.floor(math.log10(rough))
        for step in (factor * power * ten for ten in (1, 10, 100) for factor in (1, 2, 5)):
            shown = self._multiples(step)
            widest = max((text_width(signed(value), TICK_SIZE) for value in shown), default=0.0)
            if self._points(step) >= (widest + 5 if room is None else room):
                return shown
        return shown

    def _multiples(self, step: float) -> list[float]:
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 10) + 0.0 for at in range(first, last + 1)]

    def _points(self, step: float) -> float:
        return abs(step / (self.high - self.low) * (self.stop - self.start))


def signed(value: float) -> str:
    """A tick's label as a gain: with its sign, 0 without."""
    return "0" if value == 0 else f"{value:+g}"


def in_points(value: float) -> str:
    """A gain with its sign and one decimal; what rounds to nothing has no sign of its own."""
    return f"{round(value, 1) + 0.0:+z.1f}"


def draw_axis_below(scene: Scene, scale: Scale, top: float, bottom: float, *, gain: bool = True) -> None:
    """Vertical rules from ``top`` to ``bottom`` with labels below (10 points); the rule at 0 of a gain is darker."""
    shown = scale.ticks()
    scene.lines([((scale.at(v), top), (scale.at(v), bottom)) for v in shown if v or not gain], colour=RULE, width=0.5)
    if gain and scale.low <= 0 <= scale.high:
        scene.line((scale.at(0.0), top), (scale.at(0.0), bottom), colour=FAINT_INK, width=1.0)
    for value in shown:
        label = signed(value) if gain else f"{value:g}"
        half = text_width(label, TICK_SIZE) / 2
        x = min(max(scale.at(value), half), scene.width - half)  # never over the edge, where it would be cut
        scene.text(x, bottom + 6, label, size=TICK_SIZE, anchor="middle", colour=FAINT_INK)


def draw_axis_left(scene: Scene, scale: Scale, left: float, right: float) -> None:
    """Horizontal rules from ``left`` to ``right`` with labels on their left."""
    shown = scale.ticks(16)
    scene.lines([((left, scale.at(v)), (right, scale.at(v))) for v in shown], colour=RULE, width=0.5)
    for value in shown:
        scene.text(left - 3, scale.at(value), f"{value:g}", size=TICK_SIZE, anchor="end", colour=FAINT_INK)
