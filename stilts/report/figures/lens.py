"""The language lens as a picture: gains of languages by group, and against what can be measured of a language."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from stilts.analysis.lens import DISTANCE, PRETRAINING, TOKENS, Lens
from stilts.analysis.lens_points import LensPoint
from stilts.metrics.group_test import Difference, GroupTest, Status, Trend
from stilts.report.drawing.axis import Scale, draw_axis_below, draw_axis_left, in_points
from stilts.report.drawing.colour import GAIN, NEUTRAL
from stilts.report.drawing.labels import around, label
from stilts.report.drawing.marks import mark
from stilts.report.drawing.scene import FAINT_INK, Scene
from stilts.report.drawing.text import fold, shortened
from stilts.report.figures.key import Meaning, key
from stilts.report.figures.picture import PORTRAIT, PORTRAIT_HEIGHT, Picture, chunks, grid, stacked
from stilts.study.record import NONE_ROW

_GAP, _LINE = 12.0, 11.0
_PANEL, _NAMES, _COUNTS = (PORTRAIT - _GAP) / 2, 86.0, 34.0
_THIRD, _PLOT = (PORTRAIT - 2 * _GAP) / 3, 110.0
_MOST_LINES = int((PORTRAIT_HEIGHT - 110) / _LINE)


def lens_points(points: Sequence[LensPoint], groups: dict[str, Sequence[LensPoint]]) -> pd.DataFrame:
    """One line per point: the language, its gain and properties, and its group under every grouping."""
    lines = []
    for at, point in enumerate(points):
        lines.append(
            {
                "language": point.language,
                "name": point.name,
                "column": point.column,
                "row": point.row,
                "gain": point.gain,
                **{by: of[at].group for by, of in groups.items()},
                "genus": point.genus,
                "cc100_gib": point.cc100_gib,
                "tokens_per_word": point.tokens_per_word,
                "distance": point.distance,
            }
        )
    return pd.DataFrame(lines)


def lens_plot(lenses: Sequence[Lens], data: pd.DataFrame, study: str) -> Picture | None:
    """Panels of groups, then panels of properties; None where languages differ in neither.

    ``lenses`` are of one study by several groupings; ``data`` is ``lens_points`` of them.
    """
    groups = [panel for lens in lenses for panel in _group_panels(lens)]
    trends = [panel for item in lenses[0].correlations if (panel := _trend_panel(lenses[0], item.name, item.trend))]
    if not groups and not trends:
        return None
    bands = [*grid(groups, 2, gap=_GAP), *grid(trends, 3, gap=_GAP)]
    bands[-1] = stacked([bands[-1], _key(bool(groups), PORTRAIT)])
    return Picture(
        name="language_lens",
        title="Language lens",
        headline=f"{study}: gain over {NONE_ROW} by language, averaged over targets, in points",
        caption="Each circle is a language, at its gain averaged over targets. A difference is decided only where six "
        "or more families stand on each side; descriptive means that they do not.",
        bands=tuple(bands),
        panels=(*groups, *trends, _key(bool(groups), _THIRD)),
        data=data,
    )


def _group_panels(lens: Lens) -> list[Scene]:
    if lens.test is None or len(lens.test.means) < 2:
        return []
    names = [item.group for item in sorted(lens.test.means, key=lambda item: -item.mean)]
    scale = Scale.around([point.gain for point in lens.points], _NAMES, _PANEL - _COUNTS - 6, least=1.0)
    runs = chunks(len(names), _MOST_LINES)
    return [_group_panel(lens, lens.test, [names[at] for at in run], scale) for run in runs]


def _group_panel(lens: Lens, test: GroupTest, names: Sequence[str], scale: Scale) -> Scene:
    verdict = fold(_verdict(test), _PANEL - 8, 7.0, lines=3)
    head = 8 + 8 + len(verdict) * 9.0 + 8
    scene = Scene(width=_PANEL, height=head + len(names) * _LINE + 16)
    scene.text(4, 8, f"by {lens.by}", size=8.5, bold=True)
    for at, line in enumerate(verdict):
        scene.text(4, 19 + at * 9.0, line, size=7.0, colour=FAINT_INK)
    draw_axis_below(scene, scale, head - 1, head + len(names) * _LINE)
    means = {item.group: item for item in test.means}
    for at, name in enumerate(names):
        y = head + (at + 0.5) * _LINE
        scene.text(_NAMES - 6, y, shortened(name, _NAMES - 10, 7.5), size=7.5, anchor="end")
        for point in (point for point in lens.points if point.group == name):
            hint = f"{point.name}: {point.gain:+.2f}"
            mark(scene, scale.at(point.gain), y, "circle", colour=NEUTRAL, filled=False, radius=2.2, hint=hint)
        hint = f"mean of {name}: {means[name].mean:+.2f}"
        mark(scene, scale.at(means[name].mean), y, "diamond", colour=GAIN, radius=2.8, hint=hint)
        counts = f"{means[name].num_languages} / {means[name].num_families}"
        scene.text(_PANEL - 4, y, counts, size=7.0, anchor="end", colour=FAINT_INK)
    return scene


def _verdict(test: GroupTest) -> str:
    """What the test of a grouping says, in a line or two."""
    decided = [item for item in test.differences if item.status is Status.DECIDED]
    if decided:
        return "; ".join(f"decided: {difference_words(item)}" for item in decided)
    asked = [item for item in test.differences if item.status is Status.UNDECIDED]
    if asked:
        return "; ".join(f"undecided: {difference_words(item)}" for item in asked)
    return "descriptive: fewer than six families on a side of every comparison"


def difference_words(item: Difference) -> str:
    """A group against the rest: the difference, its p value, and what could have been seen."""
    value = item.difference if item.adjusted is None else item.adjusted
    said = f"{item.group} {in_points(value)}"
    if item.p_adjusted is not None:
        said += f" (p {item.p_adjusted:.2g})"
    if item.status is Status.UNDECIDED and item.smallest_visible is not None:
        said += f", visible from {item.smallest_visible:.1f}"
    return said


def _trend_panel(lens: Lens, name: str, trend: Trend) -> Scene | None:
    known = [(point, value) for point in lens.points if (value := property_of(point, name)) is not None]
    if len(known) < 3 or trend.correlation is None:
        return None
    verdict = fold(trend_words(trend), _THIRD - 8, 7.0, lines=3)
    head, left = 22 + len(verdict) * 9.0, 28.0
    scene = Scene(width=_THIRD, height=head + _PLOT + 28)
    scene.text(4, 8, shortened(f"by {_TITLES[name]}", _THIRD - 8, 8.5, bold=True), size=8.5, bold=True)
    for at, line in enumerate(verdict):
        scene.text(4, 19 + at * 9.0, line, size=7.0, colour=FAINT_INK)
    bottom = head + _PLOT
    across = Scale.around([value for _, value in known], left, _THIRD - 4, least=0.05, zero=False)
    up = Scale.around([point.gain for point, _ in known], bottom, head, least=1.0, zero=False)
    draw_axis_left(scene, up, left, _THIRD - 4)
    draw_axis_below(scene, across, bottom, bottom + 2, gain=False)
    places = [(point, across.at(value), up.at(point.gain)) for point, value in known]
    for point, x, y in places:
        mark(scene, x, y, "circle", colour=NEUTRAL, filled=False, radius=2.0, hint=f"{point.name}: {point.gain:+.2f}")
    taken = [around(x, y, 2.6) for _, x, y in places]
    for point, x, y in places:
        frame = (left + 1, head, _THIRD - 1, bottom)
        label(scene, x, y, point.language, taken, away=4.0, within=frame, most_off=1)
    scene.text((left + _THIRD) / 2, bottom + 17, _UNITS[name], size=7.0, anchor="middle", colour=FAINT_INK)
    return scene


_TITLES = {TOKENS: "tokens per word", DISTANCE: "distance from English", PRETRAINING: "pretraining text"}
_UNITS = {TOKENS: "tokens per word", DISTANCE: "0 (English) to 1", PRETRAINING: "CC-100, log10 of GiB"}


def property_of(point: LensPoint, name: str) -> float | None:
    """A point's value of a property, on the axis's scale."""
    if name == TOKENS:
        return point.tokens_per_word
    if name == DISTANCE:
        return point.distance
    return math.log10(point.cc100_gib) if point.cc100_gib else None


def trend_words(trend: Trend) -> str:
    """A correlation with what may be said of it."""
    said = "" if trend.correlation is None else f"Spearman {trend.correlation:+.2f}, "
    families = "family" if trend.num_families == 1 else "families"
    said += f"{trend.num_languages} languages, {trend.num_families} {families}: {trend.status}"
    if trend.p_value is not None:
        said += f" (p {trend.p_value:.2g})"
    if trend.status is Status.UNDECIDED and trend.smallest_visible is not None:
        said += f", visible from {trend.smallest_visible:.2f}"
    return said


def _key(groups: bool, width: float) -> Scene:
    language = Meaning(form="circle", words="a language", filled=False)
    if not groups:
        return key([language], "", width)
    mean = Meaning(form="diamond", words="mean of its group", colour=GAIN)
    return key([language, mean], "at the right: languages / families", width)
