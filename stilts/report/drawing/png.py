"""Scenes as PNG: their SVG, rasterised by resvg with the two fonts that lie beside this file and no others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import resvg_py

from stilts.report.drawing.scene import Scene
from stilts.report.drawing.svg import svg

# What texts are laid out by (``text.py``). A machine's own fonts would make its pictures differ from another's.
_FONTS = [str(path) for path in sorted(Path(__file__).with_name("fonts").glob("*.ttf"))]
# CSS has 96 pixels to the inch; twice that is what a dense screen shows.
_DOTS_PER_INCH = 192


def png(bands: Sequence[Scene]) -> bytes:
    """The bands below one another at two pixels per CSS pixel. The same scenes give the same bytes."""
    return resvg_py.svg_to_bytes(svg_string=svg(bands), dpi=_DOTS_PER_INCH, skip_system_fonts=True, font_files=_FONTS)
