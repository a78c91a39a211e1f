"""Colours that survive print and the common colour blindnesses; none of them ever says something alone."""

from __future__ import annotations

from collections.abc import Sequence

# ColorBrewer's RdBu (Harrower and Brewer 2003), from loss through white to gain: red and blue are told apart by
# protanopes and deuteranopes, and every cell says its sign.
_DIVERGING = (
    "#b2182b",
    "#d6604d",
    "#f4a582",
    "#fddbc7",
    "#f7f7f7",
    "#d1e5f0",
    "#92c5de",
    "#4393c3",
    "#2166ac",
)
NO_NUMBER = "#ebebeb"
GAIN, LOSS, NEUTRAL = "#2166ac", "#b2182b", "#4d4d4d"
# Okabe and Ito 2008, without yellow, which is too light on white, in the order that keeps neighbours furthest apart for
# full sight, protanopes and deuteranopes.
CATEGORIES = ("#0072b2", "#e69f00", "#cc79a7", "#d55e00", "#56b4e9", "#000000", "#009e73")


def diverging(value: float, limit: float) -> str:
    """The colour of a value between ``-limit`` and ``limit``; 0 is nearly white."""
    place = (min(1.0, max(-1.0, value / limit)) + 1) / 2 * (len(_DIVERGING) - 1)
    lower = min(int(place), len(_DIVERGING) - 2)
    return mixed(_DIVERGING[lower], _DIVERGING[lower + 1], place - lower)


def mixed(first: str, second: str, share: float) -> str:
    """The colour between two, ``share`` of the way to the second."""
    parts = (round(a + (b - a) * share) for a, b in zip(channels(first), channels(second), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def channels(colour: str) -> Sequence[int]:
    """Red, green and blue of ``#rrggbb``, each 0..255."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def luminance(colour: str) -> float:
    """Relative luminance, 0..1 (WCAG 2, with a plain power for sRGB's curve)."""
    red, green, blue = (float((part / 255) ** 2.2) for part in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(colour: str) -> str:
    """Black or white, whichever stands out more: WCAG 2's contrast ratios are equal at a luminance of 0.179."""
    return "#000000" if luminance(colour) > 0.179 else "#ffffff"
