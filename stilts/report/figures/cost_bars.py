"""The bars of the cost figure: between their words where there is room, below them on a telephone."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from stilts.analysis.spending import compute_words
from stilts.report.drawing.axis import TICK_SIZE, Scale
from stilts.report.drawing.colour import NEUTRAL, mixed
from stilts.report.drawing.marks import mark
from stilts.report.drawing.scene import FAINT_INK, RULE, Scene
from stilts.report.drawing.text import shortened, text_width
from stilts.report.figures.picture import NARROW, PORTRAIT, paragraph, stacked
from stilts.study.record import StudyRecord

_LIGHT = mixed(NEUTRAL, "#ffffff", 0.65)
_SIZE = 7.5
_KEY = "in brackets the number of stages; the percentage compares measured with forecast where there is one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where things stand: bars from ``start`` to ``stop``, a line's height, and whether its words stand above."""

    width: float
    start: float
    stop: float
    line: float
    words_above: bool


WIDE = Room(width=PORTRAIT, start=150.0, stop=PORTRAIT - 118, line=13.0, words_above=False)
SMALL = Room(width=NARROW, start=6.0, stop=NARROW - 8, line=25.0, words_above=True)


def cost_bars(shown: pd.DataFrame, record: StudyRecord, room: Room) -> Scene:
    """Measured time of each line of ``cost_data`` as a bar with the forecast as a diamond, and their key."""
    longest = max(float(shown["measured_s"].max()), float(shown["forecast_s"].max()), 1.0)
    unit, word = (3600.0, "hours") if longest >= 5400 else (60.0, "minutes") if longest >= 120 else (1.0, "seconds")
    scale = Scale(low=0.0, high=longest / unit * 1.03, start=room.start, stop=room.stop)
    bottom = len(shown) * room.line + 2
    scene = Scene(width=room.width, height=bottom + 20)
    ticks = scale.ticks()
    if not room.words_above:
        scene.lines([((scale.at(tick), 0.0), (scale.at(tick), bottom)) for tick in ticks], colour=RULE, width=0.5)
    _axis(scene, scale, ticks, bottom + 7, word, room)
    for at, (_, line) in enumerate(shown.iterrows()):
        below = (at + 1) * room.line + 1
        middle = below - 6.5
        _bar(scene, line, middle, scale, unit)
        _words(scene, line, below - 19.0 if room.words_above else middle, record, room)
    return stacked([scene, _key(room.width)])


def _axis(scene: Scene, scale: Scale, ticks: list[float], y: float, word: str, room: Room) -> None:
    """Figures below the bars; the unit stands to their right, or in place of the last."""
    for tick in ticks[:-1] if room.words_above else ticks:
        scene.text(scale.at(tick), y, f"{tick:g}", size=TICK_SIZE, anchor="middle", colour=FAINT_INK)
    if room.words_above:
        scene.text(room.width - 2, y, word, size=TICK_SIZE, anchor="end", colour=FAINT_INK)
    else:
        scene.text(room.stop + 8, y, word, size=TICK_SIZE, colour=FAINT_INK)


def _bar(scene: Scene, line: pd.Series, y: float, scale: Scale, unit: float) -> None:
    told, whole = scale.at(line["measured_of_forecast_s"] / unit), scale.at(line["measured_s"] / unit)
    hint = f"{_name(line)}: measured {line['measured_s']:.0f} s, forecast {line['forecast_s']:.0f} s"
    scene.box(scale.start, y - 4, whole - scale.start, 8, _LIGHT, hint=hint)
    scene.box(scale.start, y - 4, told - scale.start, 8, NEUTRAL, hint=hint)
    if line["forecast_stages"]:
        mark(scene, scale.at(line["forecast_s"] / unit), y, "diamond", filled=False, hint=hint)


def _words(scene: Scene, line: pd.Series, y: float, record: StudyRecord, room: Room) -> None:
    ratio = f", {line['measured_of_forecast_s'] / line['forecast_s'] - 1:+.0%}" if line["forecast_s"] > 0 else ""
    words = compute_words(record, float(line["measured_s"])) + ratio
    if room.words_above:
        scene.text(room.width - 2, y, words, size=7.0, anchor="end")
        left = room.width - text_width(words, 7.0) - 14
        scene.text(room.start, y, shortened(_name(line), left - room.start, _SIZE), size=_SIZE)
    else:
        scene.text(room.start - 5, y, shortened(_name(line), room.start - 9, _SIZE), size=_SIZE, anchor="end")
        scene.text(room.stop + 8, y, shortened(words, room.width - room.stop - 10, 7.0), size=7.0)


def _name(line: pd.Series) -> str:
    return f"{line['kind']} {line['name']} ({line['stages']})"


def _key(width: float) -> Scene:
    """What the shades and the diamond mean, in as many lines as they need."""
    scene = Scene(width=width, height=0.0)
    left, y = 8.0, 8.0
    shades = ((NEUTRAL, "measured, with a forecast"), (_LIGHT, "measured, nothing to forecast from"), ("", "forecast"))
    for shade, words in shades:
        if left > 8 and left + 10 + text_width(words, _SIZE) > width:
            left, y = 8.0, y + 13
        if shade:
            scene.box(left - 4, y - 4, 10, 8, shade)
        else:
            mark(scene, left, y, "diamond", filled=False)
        left = scene.text(left + 10, y, words, size=_SIZE, colour=FAINT_INK).extent[2] + 14
    scene.height = y + 8
    return stacked([scene, paragraph(_KEY, width)])
