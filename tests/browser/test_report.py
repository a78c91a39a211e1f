"""The report's page as a reader opens it: from a file, without a network, on a laptop, on a telephone, on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stilts.analysis.results import StudyResults
from stilts.report.contents import sections_of
from stilts.store import make_store
from tests.browser.chromium import Browser, chromium
from tests.browser.studies import Finished, write_report

pytestmark = pytest.mark.slow

# A4 less the margins of 12 mm that the page asks for, in CSS pixels of 1/96 inch.
_SHORT, _LONG = (210 - 24) / 25.4 * 96, (297 - 24) / 25.4 * 96


@pytest.fixture(scope="module")
def page(study: Finished) -> Path:
    return write_report(study)


@pytest.fixture(scope="module")
def offline(browser: Browser) -> Iterator[Browser]:
    """A browser of its own, for its network stays cut."""
    with chromium() as opened:
        opened.cut_network()
        yield opened


def test_it_opens_without_a_network_and_asks_for_nothing(offline: Browser, page: Path) -> None:
    offline.open(page.as_uri())
    assert offline.requests() == [page.as_uri()]
    assert offline.errors() == []


def test_its_sections_are_there_and_linked(offline: Browser, page: Path, study: Finished) -> None:
    offline.open(page.as_uri())
    results = StudyResults(record=study.record, store=make_store(str(study.store)))
    expected = [section.name for section in sections_of(results)]
    assert {"answers", "matrix", "settings"} <= set(expected)
    assert offline.run("return [...document.querySelectorAll('section')].map(each => each.id)") == expected
    assert offline.run("return [...document.querySelectorAll('nav a')].map(each => each.hash.slice(1))") == expected
    drawn = "return [...document.querySelectorAll('figure')].map(each => each.getBoundingClientRect().height)"
    heights = offline.run(drawn)
    assert len(heights) >= 3 and min(heights) > 100


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_window(offline: Browser, page: Path, width: int) -> None:
    offline.open(page.as_uri())
    offline.resize(width)
    assert offline.run("return document.documentElement.scrollWidth") <= width
    assert offline.run(_TABLES_OUT_OF_REACH) == []
    assert offline.run(_SMALLEST_TEXT) >= 10  # CSS pixels


def test_tables_sort_by_the_heading_that_is_clicked(offline: Browser, page: Path) -> None:
    offline.open(page.as_uri())
    heading = offline.run("return [...document.querySelectorAll('table thead th')].find(each => each.cellIndex == 1)")
    orders = []
    for _ in range(2):
        offline.run("arguments[0].click()", heading)
        orders.append(offline.run("return arguments[0].getAttribute('aria-sort')", heading))
    assert orders == ["descending", "ascending"]


def test_it_prints_on_whole_pages(offline: Browser, page: Path) -> None:
    offline.open(page.as_uri())
    printed = offline.pdf()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) >= 3
    offline.command("Emulation.setEmulatedMedia", media="print")
    try:
        for across, width, height in ((False, _SHORT, _LONG), (True, _LONG, _SHORT)):
            offline.resize(int(width), int(height))
            for name, drawn_width, drawn_height in offline.run(_PRINTED_PICTURES, across):
                assert drawn_width <= width + 1 and drawn_height <= height + 1, name
    finally:
        offline.command("Emulation.setEmulatedMedia", media="")


# Tables wider than the window that no box lets a reader push sideways.
_TABLES_OUT_OF_REACH = """
return [...document.querySelectorAll("table")].filter(table => {
  if (table.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let at = table.parentElement; at; at = at.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return false;
  return true;
}).map(table => table.textContent.slice(0, 60));
"""
_SMALLEST_TEXT = """
return Math.min(...[...document.querySelectorAll("p,li,td,th,figcaption,a")].filter(
  each => each.checkVisibility() && each.textContent.trim()).map(each => parseFloat(getComputedStyle(each).fontSize)));
"""
# Width and height of the drawings that go on upright pages, or on those that lie across.
_PRINTED_PICTURES = """
return [...document.querySelectorAll("figure svg")].filter(
  each => each.checkVisibility() && !!each.closest(".across") == arguments[0]).map(each => {
  const box = each.getBoundingClientRect();
  return [each.getAttribute("aria-label") || each.textContent.slice(0, 60), box.width, box.height];
});
"""
