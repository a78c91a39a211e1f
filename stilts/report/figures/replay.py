"""Regret against cost as a picture: policies differ by mark and by line as well as by colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stilts.analysis.replay.regret import Point
from stilts.report.drawing.axis import Scale, draw_axis_left
from stilts.report.drawing.colour import CATEGORIES
from stilts.report.drawing.marks import Form, mark
from stilts.report.drawing.png import png
from stilts.report.drawing.scene import FAINT_INK, RULE, Scene
from stilts.report.drawing.svg import svg
from stilts.report.figures.picture import heading, paragraph
from stilts.whole_file import write_whole

_WIDTH, _HEIGHT = 520.0, 250.0
_LEFT, _RIGHT, _BOTTOM = 34.0, 512.0, 222.0
_FORMS: tuple[Form, ...] = ("circle", "square", "diamond", "up", "down", "cross")
_CAPTION = (
    "Regret: 100 x (best - chosen) / best, mean over targets. Bars are 95 % bootstrap intervals over splits. "
    "Cost 1 is one seed of every cell at full fidelity. The default policy is filled and its line is solid."
)


def save_plot(path: Path, name: str, points: Sequence[Point]) -> None:
    """Draws regret against cost, one panel per price, into an .svg or .png file; one that is there is replaced."""
    scenes = [heading(f"{name}: regret against cost", _WIDTH)]
    policies = list(dict.fromkeys(_family(point.policy) for point in points))
    for price in dict.fromkeys(point.price for point in points):
        shown = [point for point in points if point.price == price]
        scenes += [paragraph(f"Price {price}", _WIDTH, bold=True), _panel(shown, policies)]
    scenes += [_legend(policies, points), paragraph(_CAPTION, _WIDTH)]
    write_whole(path, svg(scenes).encode() if path.suffix.lower() == ".svg" else png(scenes))


def _panel(points: Sequence[Point], policies: Sequence[str]) -> Scene:
    scene = Scene(width=_WIDTH, height=_HEIGHT)
    up = Scale(low=0.0, high=max(point.high for point in points) * 1.06 + 1e-6, start=_BOTTOM, stop=6.0)
    across = Scale(low=0.0, high=max(point.cost_frac for point in points) * 1.04 + 1e-6, start=_LEFT, stop=_RIGHT)
    draw_axis_left(scene, up, _LEFT, _RIGHT)
    scene.line((_LEFT, _BOTTOM), (_RIGHT, _BOTTOM), colour=FAINT_INK)
    for tick in across.ticks(40):
        scene.line((across.at(tick), _BOTTOM), (across.at(tick), _BOTTOM + 3), colour=RULE)
        scene.text(across.at(tick), _BOTTOM + 9, f"{tick:g}", size=7, anchor="middle", colour=FAINT_INK)
    scene.text(_RIGHT, _BOTTOM + 20, "cost, in grids of one seed", size=7.5, anchor="end")
    scene.text(10, _BOTTOM / 2, "regret, %", size=7.5, anchor="middle", upright=True)
    for place, policy in enumerate(policies):
        own = sorted((p for p in points if _family(p.policy) == policy), key=lambda p: p.cost_frac)
        _draw(scene, own, place, across, up)
    return scene


def _draw(scene: Scene, points: Sequence[Point], place: int, across: Scale, up: Scale) -> None:
    colour, form = CATEGORIES[place % len(CATEGORIES)], _FORMS[place % len(_FORMS)]
    default = any(point.default for point in points)
    at = [(across.at(point.cost_frac), up.at(point.regret_pct)) for point in points]
    if len(at) > 1:
        scene.line(*at, colour=colour, width=1.5 if default else 1.0, dashed=not default)
    for point, (x, y) in zip(points, at, strict=True):
        scene.line((x, up.at(point.low)), (x, up.at(point.high)), colour=colour, width=0.8)
        hint = f"{point.policy}: {point.regret_pct:.2f} % at {point.cost_frac:.3f}"
        mark(scene, x, y, form, colour=colour, filled=default, radius=3.2, hint=hint)


def _legend(policies: Sequence[str], points: Sequence[Point]) -> Scene:
    scene = Scene(width=_WIDTH, height=14.0 * ((len(policies) + 2) // 3) + 4)
    for place, policy in enumerate(policies):
        x, y = 12 + (place % 3) * _WIDTH / 3, 8 + 14.0 * (place // 3)
        colour, form = CATEGORIES[place % len(CATEGORIES)], _FORMS[place % len(_FORMS)]
        default = any(point.default for point in points if _family(point.policy) == policy)
        scene.line((x - 7, y), (x + 7, y), colour=colour, dashed=not default)
        mark(scene, x, y, form, colour=colour, filled=default, radius=3.2)
        scene.text(x + 12, y, policy + (" (default)" if default else ""), size=7.5)
    return scene


def _family(policy: str) -> str:
    """Full grids of different sizes are one line."""
    return "full_grid" if policy.startswith("full_grid") else policy
