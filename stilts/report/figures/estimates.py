"""The figure of a score card: rank correlation of every estimate with the matrix, and what its first row costs."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.score_card import CardLine, Mean, ScoreCard
from stilts.report.drawing.axis import Scale, draw_axis_below
from stilts.report.drawing.colour import NEUTRAL
from stilts.report.drawing.marks import interval, mark
from stilts.report.drawing.scene import FAINT_INK, Scene
from stilts.report.drawing.text import shortened
from stilts.report.figures.picture import PORTRAIT, Picture

_LINE, _NAMES, _GAP = 13.0, 92.0, 16.0
_PANEL = (PORTRAIT - _NAMES - _GAP) / 2


def estimates_plot(card: ScoreCard, study: str) -> Picture | None:
    """Two panels side by side, a line per estimate; None where nothing is estimated or no target is finished."""
    lines = [line for line in card.lines if line.targets]
    if not lines:
        return None
    scene = Scene(width=PORTRAIT, height=34.0 + len(lines) * _LINE)
    for at, line in enumerate(lines):
        name = shortened(line.name, _NAMES - 8, 7.5)
        scene.text(
            _NAMES - 4, _middle(at), name, size=7.5, anchor="end", colour=FAINT_INK if line.is_reference else "#1a1a1a"
        )
    _panel(scene, lines, "Spearman with the scores", _NAMES, [line.spearman for line in lines], signed=True)
    regret = [line.regret[1] for line in lines]
    _panel(scene, lines, "regret of the first row, in points", _NAMES + _PANEL + _GAP, regret, signed=False)
    return Picture(
        name="estimates",
        title="Estimates",
        headline=f"{study}: what estimates say of the matrix on {card.use}",
        caption="Left, the rank correlation of each estimate with the rows' scores; right, the points lost by taking "
        "the row that it puts first. Means over targets with 95 % bootstrap intervals over targets; hollow marks are "
        "references.",
        bands=(scene,),
        data=_data(lines),
    )


def _panel(
    scene: Scene, lines: list[CardLine], title: str, left: float, means: list[Mean | None], *, signed: bool
) -> None:
    ends = [end for mean in means if mean for end in (mean.value, mean.low, mean.high) if end is not None]
    scale = Scale.around(ends, left + 4, left + _PANEL - 12, least=1.0)
    scene.text(left + 4, 7, title, size=7.5, bold=True)
    draw_axis_below(scene, scale, 15.0, 18.0 + len(lines) * _LINE, gain=signed)
    for at, (line, mean) in enumerate(zip(lines, means, strict=True)):
        if mean is None:
            scene.text(scale.at(0.0) + 4, _middle(at), "-", size=7.5, colour=FAINT_INK)
            continue
        if mean.low is not None and mean.high is not None and mean.high > mean.low:
            interval(scene, _middle(at), scale.at(mean.low), scale.at(mean.high), colour=NEUTRAL)
        hint = f"{line.name}: {mean.value:.2f} over {len(line.targets)} targets"
        mark(
            scene, scale.at(mean.value), _middle(at), "circle", colour=NEUTRAL, filled=not line.is_reference, hint=hint
        )


def _middle(at: int) -> float:
    return 18.0 + (at + 0.5) * _LINE


def _data(lines: list[CardLine]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "estimate": line.name,
            "targets": len(line.targets),
            **{
                f"{name}{end}": None if mean is None else getattr(mean, end.strip("_") or "value")
                for name, mean in (("spearman", line.spearman), ("regret@1", line.regret[1]))
                for end in ("", "_low", "_high")
            },
        }
        for line in lines
    )
