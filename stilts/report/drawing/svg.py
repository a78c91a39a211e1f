"""Scenes as SVG: text stays text, small and searchable. The same scenes give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stilts.report.drawing.scene import Point, Scene, Shape, Text
from stilts.report.drawing.text import FONTS
from stilts.report.markup import as_html

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def svg(bands: Sequence[Scene]) -> str:
    """A document of its own with the bands below one another."""
    return _HEAD + svg_element(bands) + "\n"


def svg_element(bands: Sequence[Scene], *, label: str = "") -> str:
    """One ``svg`` element to stand in a page; ``label`` is what it shows, for those who cannot see it."""
    width, height = max(band.width for band in bands), sum(band.height for band in bands)
    named = f' role="img" aria-label="{as_html(label)}"' if label else ""
    body, top = [], 0.0
    for band in bands:
        inner = "".join(_shapes(band))
        body.append(f'<g transform="translate(0 {_n(top)})">{inner}</g>' if top else inner)
        top += band.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}pt" height="{_n(height)}pt" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" font-family="{FONTS}"{named}>'
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>{"".join(body)}</svg>'
    )


def _shapes(band: Scene) -> Iterator[str]:
    for shape in band.shapes:
        yield _text(shape) if isinstance(shape, Text) else _path(shape)


def _text(item: Text) -> str:
    x, y = item.base
    at = f'transform="translate({_n(x)} {_n(y)}) rotate(-90)"' if item.upright else f'x="{_n(x)}" y="{_n(y)}"'
    anchor = "" if item.anchor == "start" else f' text-anchor="{item.anchor}"'
    weight = ' font-weight="bold"' if item.bold else ""
    return f'<text {at} font-size="{_n(item.size)}" fill="{item.colour}"{anchor}{weight}>{as_html(item.text)}</text>'


def _path(shape: Shape) -> str:
    end = "Z" if shape.closed else ""
    drawn = "".join(f"M{'L'.join(map(_point, part))}{end}" for part in shape.parts)
    stroke = "" if shape.stroke is None else f' stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"'
    dashes = ' stroke-dasharray="3 2"' if shape.dashed else ""
    start = f'<path d="{drawn}" fill="{shape.fill or "none"}"{stroke}{dashes}'
    return f"{start}><title>{as_html(shape.hint)}</title></path>" if shape.hint else f"{start}/>"


def _point(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _n(value: float) -> str:
    """A number with at most two decimals: a hundredth of a point is finer than any printer."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
