"""The page on paper, by a real browser: full size, so that what is drawn at 7 points is printed at 7 points."""

import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from stilts.report.figures.forest import forest_plot
from stilts.report.figures.heatmap import heat_map
from stilts.report.page import html_page
from stilts.report.sections.section import Section
from tests.report.studies import table

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A printed page starts with 300 dots to the inch; a CSS pixel is 1/96 inch.
FULL_SIZE = 300 / 96


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize(("size", "across"), [((9, 9), 0), ((20, 50), 8)])
def test_nothing_shrinks_and_wide_figures_lie_across(tmp_path: Path, size: tuple[int, int], across: int) -> None:
    data, record = table(*size)
    pictures = (heat_map(data, record), forest_plot(data, record))
    page = tmp_path / "report.html"
    page.write_text(html_page(record, [Section(name="matrix", title="Matrix", pictures=pictures)]))
    printed = tmp_path / "report.pdf"
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        f"--user-data-dir={tmp_path}/user",
    ]
    command = [str(CHROMIUM), *flags, f"--print-to-pdf={printed}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    scales, shapes = _scales(printed.read_bytes()), _shapes(printed.read_bytes())
    assert scales and all(scale == pytest.approx(FULL_SIZE, rel=0.005) for scale in scales)
    assert len(shapes) == len(scales)
    assert sum(width > height for width, height in shapes) >= across - 2
    assert any(width < height for width, height in shapes)


def _shapes(pdf: bytes) -> list[tuple[float, float]]:
    found = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", pdf)
    return [(float(width), float(height)) for width, height in found]


def _scales(pdf: bytes) -> list[float]:
    """The scale of each page: the second matrix of its drawing, below the one that turns dots into points."""
    scales = []
    for start in re.finditer(rb"(?<!end)stream\r?\n", pdf):
        try:
            drawn = zlib.decompress(pdf[start.end() : pdf.index(b"endstream", start.end())])
        except zlib.error:
            continue
        matrices = re.findall(rb"([-\d.]+) [-\d.]+ [-\d.]+ [-\d.]+ [-\d.]+ [-\d.]+ cm\b", drawn[:3000])
        if len(matrices) > 1:
            scales.append(float(matrices[1]))
    return scales
