"""Scenes as PNG, by matplotlib's rasteriser alone: no figure, no window system, no state shared with a notebook."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from stilts.report.drawing.scene import Scene, Shape, Text

# CSS has 96 pixels to the inch, so that a point is 4/3 pixels; twice that is what a dense screen shows.
PIXELS_PER_POINT = 96 / 72
_COMPRESSION = 4  # of zlib's 1 to 9: flat colours gain little above


def png(bands: Sequence[Scene], *, scale: float = 2.0) -> bytes:
    """The bands below one another at ``scale`` pixels per CSS pixel. The same scenes give the same bytes."""
    from matplotlib.backends.backend_agg import RendererAgg

    unit = PIXELS_PER_POINT * scale
    width, height = max(band.width for band in bands), sum(band.height for band in bands)
    make: Any = RendererAgg  # its module has no annotations
    canvas = make(round(width * unit), round(height * unit), 72 * unit)
    sheet = Scene(width=width + 2, height=height + 2)
    sheet.box(-1, -1, width + 2, height + 2, "#ffffff")
    _Painter(canvas, unit, 0.0, round(height * unit)).paint(sheet)  # no pixel stays transparent
    top = 0.0
    for band in bands:
        _Painter(canvas, unit, top, round(height * unit)).paint(band)
        top += band.height
    return _encoded(np.asarray(canvas.buffer_rgba())[:, :, :3], 72 * unit)


class _Painter:
    """Draws one band, ``top`` points below the picture's upper edge."""

    def __init__(self, canvas: Any, unit: float, top: float, height: int) -> None:
        from matplotlib.transforms import Affine2D

        self._canvas, self._unit, self._top = canvas, unit, top
        # The rasteriser's y grows upwards for paths, and downwards for text.
        self._transform = Affine2D().scale(unit, -unit).translate(0, height - top * unit)

    def paint(self, band: Scene) -> None:
        for shape in band.shapes:
            if isinstance(shape, Text):
                self._text(shape)
            else:
                self._path(shape)

    def _path(self, shape: Shape) -> None:
        from matplotlib.path import Path

        runs = [(*part, part[0]) if shape.closed else part for part in shape.parts]
        codes = [code for run in runs for code in (Path.MOVETO, *[Path.LINETO] * (len(run) - 1))]
        look = self._canvas.new_gc()
        look.set_linewidth(shape.width if shape.stroke else 0.0)
        look.set_foreground(shape.stroke or "#000000")
        if shape.dashed:
            look.set_dashes(0, [3, 2])
        look.set_snap(False)
        path = Path([point for run in runs for point in run], codes)
        self._canvas.draw_path(look, path, self._transform, _rgb(shape.fill) if shape.fill else None)

    def _text(self, item: Text) -> None:
        font = _font(item.bold, item.size)
        width, _, _ = self._canvas.get_text_width_height_descent(item.text, font, False)
        before = {"start": 0.0, "middle": width / 2, "end": width}[item.anchor]
        x, y = item.base
        at = (x * self._unit, (y + self._top) * self._unit)
        look = self._canvas.new_gc()
        look.set_foreground(item.colour)
        place = (at[0], at[1] + before) if item.upright else (at[0] - before, at[1])
        self._canvas.draw_text(look, *place, item.text, font, 90 if item.upright else 0)


@cache
def _font(bold: bool, size: float) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=["DejaVu Sans"], weight="bold" if bold else "normal", size=size)


@cache
def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _encoded(pixels: np.ndarray[Any, np.dtype[np.uint8]], dots_per_inch: float) -> bytes:
    """An RGB picture as PNG (ISO/IEC 15948); each line is filtered by the one above it (type 2, "up")."""
    height, width, _ = pixels.shape
    lines = np.ascontiguousarray(pixels).reshape(height, width * 3)
    filtered = np.empty((height, width * 3 + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    per_metre = round(dots_per_inch / 0.0254)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", zlib.compress(filtered.tobytes(), _COMPRESSION)),
        (b"IEND", b""),
    )
    written = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        written += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(written)
