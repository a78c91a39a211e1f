"""Whether a picture's texts lie apart from each other, inside it, and large enough: by their boxes."""

import re

from stilts.report.drawing.labels import touch
from stilts.report.drawing.scene import SMALLEST, Scene, Text
from stilts.report.figures.picture import (
    LANDSCAPE,
    LANDSCAPE_HEIGHT,
    PORTRAIT,
    PORTRAIT_HEIGHT,
    Picture,
)

# Boxes hold the tallest letters and the deepest ones; between lines of figures a little of that may be shared.
_SLACK = 0.6


def assert_fits(picture: Picture) -> None:
    """No text overlaps another, none is clipped or too small, and every band fits a page."""
    for scene in (*picture.bands, *picture.whole, *picture.narrow, *picture.panels, *picture.on_screen):
        assert not (found := overlaps(scene)), f"{picture.name}: {found[:5]}"
        assert not (found := clipped(scene)), f"{picture.name}: {found[:5]}"
        assert all(text.size >= SMALLEST for text in scene.texts)
    for band in picture.bands:
        assert band.width <= LANDSCAPE
        assert band.height <= (PORTRAIT_HEIGHT if band.width <= PORTRAIT else LANDSCAPE_HEIGHT) + 40


def overlaps(scene: Scene) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap."""
    texts = sorted(scene.texts, key=lambda text: text.extent[1])
    found = []
    for at, first in enumerate(texts):
        for second in texts[at + 1 :]:
            if second.extent[1] >= first.extent[3]:
                break
            if touch(_tight(first), _tight(second)):
                found.append((first.text, second.text))
    return found


def clipped(scene: Scene) -> list[str]:
    """Texts that reach over the edge of their scene."""
    return [
        text.text
        for text in scene.texts
        if text.extent[0] < 0
        or text.extent[1] < -_SLACK
        or text.extent[2] > scene.width
        or text.extent[3] > scene.height + _SLACK
    ]


def said(picture: Picture) -> list[str]:
    """All texts of a picture as it is seen on a screen."""
    return [text.text for scene in picture.on_screen for text in scene.texts]


def words(picture: Picture) -> str:
    """All texts in one line, as they would be searched for."""
    return re.sub(r"\s+", " ", " ".join(said(picture)))


def _tight(text: Text) -> tuple[float, float, float, float]:
    left, top, right, bottom = text.extent
    return left + _SLACK, top + _SLACK, right - _SLACK, bottom - _SLACK
