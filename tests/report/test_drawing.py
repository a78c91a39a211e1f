from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stilts.report.drawing.axis import Scale, in_points
from stilts.report.drawing.colour import CATEGORIES, GAIN, LOSS, channels, diverging, ink_on, luminance
from stilts.report.drawing.marks import mark
from stilts.report.drawing.png import png
from stilts.report.drawing.scene import Scene
from stilts.report.drawing.svg import svg
from stilts.report.drawing.text import breaks_well, fold, shortened, text_width

TEXTS = ("intermediate_with_a_long_name", "+12.3", "±13.9s~", "hellaswag", "WAVE To", "missing", "mnli+tydiqa", "été")


def scene() -> Scene:
    drawn = Scene(width=120, height=40)
    drawn.box(10, 5, 30, 20, "#2166ac", hint="<a cell>")
    drawn.line((0, 30), (120, 30), dashed=True)
    mark(drawn, 80, 10, "down")
    drawn.text(10, 35, "a <b> & c")
    drawn.text(60, 30, "up", upright=True)
    return drawn


def pixels(drawn: Scene) -> np.ndarray:
    """What the scene's PNG shows, as (height, width, RGB)."""
    with Image.open(BytesIO(png([drawn]))) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def inked(text: str, size: float, *, bold: bool) -> tuple[float, float]:
    """How wide a text is drawn, in points, and how much of its picture is dark."""
    drawn = Scene(width=400, height=20)
    drawn.text(10, 10, text, size=size, bold=bold)
    ink = 255 - pixels(drawn).min(axis=2).astype(int)
    columns = np.flatnonzero(ink.max(axis=0) > 40)
    return (columns[-1] - columns[0] + 1) * 0.375, float(ink.sum())  # a pixel is 72 / 192 points


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("size", [7.0, 8.0, 9.5])
def test_widths_hold_what_the_rasteriser_draws(bold: bool, size: float) -> None:
    for text in TEXTS:
        drawn, _ = inked(text, size, bold=bold)
        assert drawn <= text_width(text, size, bold=bold), text
        if text.isascii():
            assert drawn >= 0.9 * text_width(text, size, bold=bold) - 1.0, text


@pytest.mark.parametrize(
    "text",
    [
        "Fußzeile",
        "русский",
        "ελληνικά",
        "العربية",
        "עברית",
        "ქართული",
    ],
)
def test_our_fonts_alone_draw_these_scripts_in_both_weights(text: str) -> None:
    unknown = inked("中" * len(text), 9.0, bold=False)
    plain, bold = inked(text, 9.0, bold=False), inked(text, 9.0, bold=True)
    assert bold[1] > 1.15 * plain[1], "a second font is drawn for bold"
    assert plain[0] != unknown[0], "no row of boxes"


@given(st.text(max_size=60), st.floats(15, 200), st.integers(1, 4))
def test_folded_text_fits(text: str, width: float, lines: int) -> None:
    folded = fold(text, width, 7.0, lines=lines)
    assert 1 <= len(folded) <= lines
    assert all(text_width(line, 7.0) <= width for line in folded)


@given(st.text(alphabet="abc_-+ ", max_size=40), st.floats(20, 200))
def test_what_breaks_well_keeps_every_character(text: str, width: float) -> None:
    if breaks_well(text, width, 7.0, lines=9):
        assert "".join(fold(text, width, 7.0, lines=9)).replace(" ", "") == text.replace(" ", "")


def test_a_name_is_folded_after_its_joints() -> None:
    assert fold("tydiqa_on_xquad", text_width("tydiqa_on_", 7.0), 7.0, lines=2) == ["tydiqa_on_", "xquad"]
    assert shortened("intermediate_17", 40.0, 7.0).startswith("int")
    assert shortened("intermediate_17", 40.0, 7.0).endswith("\u2026e_17"[-2:])


def test_svg_is_well_formed_and_keeps_text() -> None:
    written = svg([scene(), scene()])
    root = ElementTree.fromstring(written)
    assert (root.get("width"), root.get("height")) == ("120pt", "80pt")
    texts = ["".join(item.itertext()) for item in root.iter() if item.tag.endswith("}text")]
    assert texts == ["a <b> & c", "up"] * 2
    assert written == svg([scene(), scene()])


def test_png_has_two_pixels_to_a_css_pixel_and_shows_the_scene() -> None:
    assert png([scene()]) == png([scene()])
    shown = pixels(scene())
    assert shown.shape == (107, 320, 3)
    assert tuple(shown[0, 0]) == (255, 255, 255)
    assert tuple(shown[40, 60]) == (0x21, 0x66, 0xAC), "the box, at (22.5, 15) points"
    assert shown[:, 140:180].min() < 100, "the upright text"


def test_a_png_shows_bands_below_one_another() -> None:
    two = png([scene(), scene()])
    with Image.open(BytesIO(two)) as picture:
        stacked = np.asarray(picture.convert("RGB"))
    assert stacked.shape == (213, 320, 3)
    assert tuple(stacked[107 + 40, 60]) == (0x21, 0x66, 0xAC), "the box of the second band"


@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e4), st.floats(40, 600))
def test_ticks_are_round_apart_and_inside(low: float, span: float, points: float) -> None:
    scale = Scale(low=low, high=low + span, start=0.0, stop=points)
    ticks = scale.ticks()
    places = [scale.at(tick) for tick in ticks]
    assert all(-1e-6 * points <= place <= points * (1 + 1e-6) for place in places)
    assert all(b - a > 5 for a, b in pairwise(places))


def test_what_rounds_to_nothing_has_no_minus() -> None:
    assert [in_points(value) for value in (-0.04, 0.0, 0.04, -0.06)] == ["+0.0", "+0.0", "+0.0", "-0.1"]


# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
BLINDNESS = {
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


def lab(colour: str, blindness: str) -> np.ndarray:
    """CIE Lab (D65) of a colour as somebody with that colour blindness sees it."""
    linear = np.array(BLINDNESS[blindness]) @ (np.array(channels(colour)) / 255) ** 2.2
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ np.clip(linear, 0, 1) / np.array([0.9505, 1.0, 1.089]), 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_gains_and_losses_are_told_apart_by_everyone(blindness: str) -> None:
    for share in (0.25, 0.5, 0.75, 1.0):
        gain, loss = lab(diverging(share, 1.0), blindness), lab(diverging(-share, 1.0), blindness)
        assert np.linalg.norm(gain - loss) > 20 * share + 10
    assert np.linalg.norm(lab(GAIN, blindness) - lab(LOSS, blindness)) > 40


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_neighbouring_categories_are_told_apart_by_everyone(blindness: str) -> None:
    for first, second in pairwise(CATEGORIES):
        assert np.linalg.norm(lab(first, blindness) - lab(second, blindness)) > 20


@given(st.floats(-3, 3))
def test_cells_can_be_read(value: float) -> None:
    colour = diverging(value, 3.0)
    lighter, darker = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5, "WCAG 2 AA"
