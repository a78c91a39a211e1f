"""Gains by language as small multiples: one panel per target, languages sorted, those that lose marked by shape."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.best import Answer, answers_of
from stilts.analysis.glance import verdict_of
from stilts.analysis.probes import targets_of
from stilts.analysis.results import StudyResults
from stilts.metrics.levels import FALSE_DISCOVERY
from stilts.report.drawing.axis import Scale, draw_axis_below
from stilts.report.drawing.colour import GAIN, LOSS, NEUTRAL
from stilts.report.drawing.marks import Form, interval, mark
from stilts.report.drawing.scene import FAINT_INK, Scene
from stilts.report.drawing.text import fold, text_width
from stilts.report.figures.key import Meaning, key, with_key
from stilts.report.figures.picture import PORTRAIT, PORTRAIT_HEIGHT, Picture, chunks
from stilts.study.record import NONE_ROW

_GAP, _LINE = 10.0, 9.6
_PANEL = (PORTRAIT - 2 * _GAP) / 3
_MOST_LINES = int((PORTRAIT_HEIGHT - 100) / _LINE)
LANGUAGE_COLUMNS = ("column", "row", "role", "language", "gain", "low", "high", "p_adjusted", "loses", "gains")


def language_data(results: StudyResults) -> pd.DataFrame:
    """Per target the gain by language of one row: the chosen one, or the highest other where that is ``none``.

    ``role`` says which; ``loses`` and ``gains`` mark languages beyond chance at a false discovery rate of 5 %.
    """
    lines = []
    targets = {column.name for column in targets_of(results.record)}
    for answer in (answer for answer in answers_of(results) if answer.target in targets):
        row, role = shown_row(answer)
        if row is None:
            continue
        for item in results.language_gains(row, answer.target):
            sure = item.p_adjusted <= FALSE_DISCOVERY
            lines.append(
                {
                    "column": answer.target,
                    "row": row,
                    "role": role,
                    "language": item.language,
                    "gain": item.gain,
                    "low": item.low,
                    "high": item.high,
                    "p_adjusted": item.p_adjusted,
                    "loses": sure and item.gain < 0,
                    "gains": sure and item.gain > 0,
                }
            )
    return pd.DataFrame(lines, columns=list(LANGUAGE_COLUMNS))


def shown_row(answer: Answer) -> tuple[str | None, str]:
    """The row whose gains are shown for a target, and what it is there."""
    if answer.chosen not in (None, NONE_ROW):
        return answer.chosen, f"chosen: {verdict_of(answer)}"
    if not answer.gains:
        return None, ""
    highest = max(answer.gains, key=lambda gain: gain.interval.estimate).row
    return (
        highest,
        f"highest on report (oracle); {'none is chosen' if answer.chosen == NONE_ROW else 'nothing is chosen'}",
    )


def language_plot(data: pd.DataFrame, study: str) -> Picture | None:
    """One panel per target of ``language_data``; None where there is no gain by language at all."""
    panels = [panel for _, part in data.groupby("column", sort=False) for panel in _panels(part)]
    if not panels:
        return None
    return Picture(
        name="languages",
        title="Gains by language",
        headline=f"{study}: gain over {NONE_ROW} by language, in points",
        caption="Gain over none in every language with its 95 % interval, languages by gain. What is beyond chance is "
        "so at a false discovery rate of 5 % within its target (Benjamini and Hochberg).",
        bands=tuple(with_key(panels, 3, _key, gap=_GAP)),
        panels=(*panels, _key(_PANEL)),
        data=data,
    )


def _panels(lines: pd.DataFrame) -> list[Scene]:
    order = lines.sort_values("gain", ascending=False, kind="stable")
    values = [*order["low"], *order["high"]]
    names = max(text_width(str(name), 7.5) for name in order["language"]) + 9
    scale = Scale.around(values, names, _PANEL - 6, least=1.0)
    return [_panel(order.iloc[list(run)], scale, names) for run in chunks(len(order), _MOST_LINES)]


def _panel(lines: pd.DataFrame, scale: Scale, names: float) -> Scene:
    first = lines.iloc[0]
    title = fold(f"{first['row']} > {first['column']}", _PANEL - 8, 8.0, lines=2, bold=True)
    role = fold(str(first["role"]), _PANEL - 8, 7.0, lines=2)
    head = 4 + len(title) * 10.5 + len(role) * 9.0 + 4
    scene = Scene(width=_PANEL, height=head + len(lines) * _LINE + 16)
    for at, words in enumerate(title):
        scene.text(4, 8 + at * 10.5, words, size=8.0, bold=True)
    for at, words in enumerate(role):
        scene.text(4, 8 + len(title) * 10.5 + at * 9.0, words, size=7.0, colour=FAINT_INK)
    draw_axis_below(scene, scale, head - 1, head + len(lines) * _LINE)
    for at, (_, line) in enumerate(lines.iterrows()):
        _language(scene, line, head + (at + 0.5) * _LINE, scale, names)
    return scene


def _language(scene: Scene, line: pd.Series, y: float, scale: Scale, names: float) -> None:
    form: Form = "down" if line["loses"] else "up" if line["gains"] else "circle"
    colour = LOSS if line["loses"] else GAIN if line["gains"] else NEUTRAL
    scene.text(names - 5, y, str(line["language"]), size=7.5, anchor="end", bold=bool(line["loses"]))
    interval(scene, y, scale.at(float(line["low"])), scale.at(float(line["high"])), colour=colour)
    mark(
        scene,
        scale.at(float(line["gain"])),
        y,
        form,
        colour=colour,
        filled=form != "circle",
        hint=f"{line['language']}: {line['gain']:+.2f} [{line['low']:+.2f}, {line['high']:+.2f}]",
    )


def _key(width: float) -> Scene:
    entries = (
        Meaning(form="down", words="loses (name in bold)", colour=LOSS),
        Meaning(form="up", words="gains", colour=GAIN),
        Meaning(form="circle", words="not beyond chance", filled=False),
    )
    return key(entries, "", width)
