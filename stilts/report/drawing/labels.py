"""Labels beside points, put where nothing else is."""

from __future__ import annotations

import itertools

from stilts.report.drawing.scene import FAINT_INK, Extent, Scene
from stilts.report.drawing.text import text_width

SIZE = 7.0
_LINE = 9.0


def label(
    scene: Scene,
    x: float,
    y: float,
    words: str,
    taken: list[Extent],
    *,
    away: float,
    within: Extent,
    most_off: int = 3,
) -> bool:
    """Writes the words beside a point, inside ``within``; False where all places are taken.

    ``taken`` holds the boxes of points and earlier labels and gets the new one. ``away`` is the distance from the
    point's centre; a label that is not on the point's own line, but up to ``most_off`` lines above or below, is joined
    to it by a thin line.
    """
    width = text_width(words, SIZE)
    for lines, side in itertools.product(sorted(range(-most_off, most_off + 1), key=abs), (1, -1)):
        left = x + side * away - (width if side < 0 else 0.0)
        middle = y + lines * _LINE
        box = (left - 1, middle - 4.5, left + width + 1, middle + 4.5)
        if _inside(box, within) and not any(touch(box, other) for other in taken):
            taken.append(box)
            if lines:
                scene.line((x, y), (x + side * away, middle), colour=FAINT_INK, width=0.5)
            scene.box(left - 0.5, middle - 3.6, width + 1, 7.2, "#ffffff")
            scene.text(left, middle, words, size=SIZE)
            return True
    return False


def around(x: float, y: float, radius: float) -> Extent:
    """The box of a point, as ``label`` wants it."""
    return x - radius, y - radius, x + radius, y + radius


def touch(a: Extent, b: Extent) -> bool:
    """Whether two boxes overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(box: Extent, frame: Extent) -> bool:
    return frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]
