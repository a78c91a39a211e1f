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
    assert offline.run(_SMALLEST_DRAWN_TEXT) >= 9


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_wider_than_its_box_says_that_there_is_more(offline: Browser, page: Path, width: int) -> None:
    offline.open(page.as_uri())
    offline.resize(width)
    offline.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    settled = "return [...document.querySelectorAll('.wide')].every(each => !each.clientWidth || 'tabIndex' in each)"
    offline.wait("layout", lambda: offline.run(settled))
    assert offline.run(_SCREEN_OVERFLOWS) == 0
    assert offline.run(_CUT_WITHOUT_A_HINT) == []
    assert width > 390 or offline.run("return document.querySelectorAll('.over').length") > 0
    scrolled = """const box = document.querySelector('.over:not(.end)'); if (!box) return true;
        box.scrollLeft = 1e6; return new Promise(done => setTimeout(() => done(box.classList.contains('end')), 200))"""
    assert offline.run(scrolled), "the shadow goes where there is nothing more"


def test_every_target_is_seen_on_a_telephone_without_a_push(offline: Browser, page: Path, study: Finished) -> None:
    offline.open(page.as_uri())
    offline.resize(390)
    targets = [column.name for column in study.record.columns]
    for place in ("#matrix figure", "#targets figure", "#answers"):
        assert set(targets) <= set(offline.run(_NAMES_IN_THE_WINDOW, place)), place


def test_the_first_table_is_cards_on_a_telephone_and_lines_on_a_laptop(
    offline: Browser, page: Path, study: Finished
) -> None:
    offline.open(page.as_uri())
    lefts = {}
    for width in (1280, 390):
        offline.resize(width)
        for line in offline.run(_CELLS_OF_THE_FIRST_TABLE):
            assert len(line) == 7 and all(cell["right"] <= width and cell["fits"] for cell in line)
            lefts.setdefault(width, []).append(len({round(cell["left"]) for cell in line}))
    assert set(lefts[1280]) == {7} and len(lefts[390]) == len(study.record.columns)
    assert set(lefts[390]) == {1}, "one below the other"
    label = "return getComputedStyle(document.querySelector('.first td'), ':before').content"
    assert offline.run(label) == "attr(data-of)" or "train on first" in offline.run(label)


def test_figures_fill_the_width_that_they_have(offline: Browser, page: Path) -> None:
    offline.open(page.as_uri())
    offline.resize(1280)
    for name, share in offline.run(_FILLED):
        assert share > 0.85, name


def test_what_is_folded_is_printed(offline: Browser, page: Path) -> None:
    offline.open(page.as_uri())
    offline.command("Emulation.setEmulatedMedia", media="print")
    try:
        inside = "return [...document.querySelectorAll('details')].map(each => each.children[1].checkVisibility())"
        offline.resize(int(_SHORT), int(_LONG))
        heights = offline.run("return [...document.querySelectorAll('details.answer')].map(each => each.offsetHeight)")
        assert heights and min(heights) > 60
        assert all(offline.run(inside))
    finally:
        offline.command("Emulation.setEmulatedMedia", media="")


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
# The smallest text of a drawing that is seen, in CSS pixels.
_SMALLEST_DRAWN_TEXT = """
return Math.min(...[...document.querySelectorAll("figure svg")].filter(each => each.checkVisibility()).map(each =>
  each.getBoundingClientRect().width / each.viewBox.baseVal.width *
  Math.min(...[...each.querySelectorAll("text")].map(text => parseFloat(text.getAttribute("font-size"))))));
"""
_SCREEN_OVERFLOWS = "return Math.max(0, document.documentElement.scrollWidth - innerWidth)"
# Boxes whose content is wider than they are, and that neither fade at the edge nor have a line that says so.
_CUT_WITHOUT_A_HINT = """
return [...document.body.querySelectorAll("*")].filter(each => {
  if (each instanceof SVGElement || !each.checkVisibility() || each.scrollWidth <= each.clientWidth + 1) return false;
  if (getComputedStyle(each).display.startsWith("inline")) return false;
  const said = each.nextElementSibling;
  const faded = getComputedStyle(each).maskImage.includes("gradient");
  if (each.matches(".wide") && faded && said?.matches(".more") && said.checkVisibility()) return false;
  return !each.closest(".wide") || each.matches(".wide");
}).map(each => each.outerHTML.slice(0, 80));
"""
# Texts inside an element that lie in the window from left to right.
_NAMES_IN_THE_WINDOW = """
return [...document.querySelector(arguments[0]).querySelectorAll("text,th")].filter(each => {
  const box = each.getBoundingClientRect();
  return each.checkVisibility() && box.width > 0 && box.left >= 0 && box.right <= innerWidth;
}).map(each => each.textContent);
"""
_CELLS_OF_THE_FIRST_TABLE = """
return [...document.querySelectorAll(".first tbody tr")].map(line => [...line.cells].map(cell => {
  const box = cell.getBoundingClientRect();
  return {left: box.left, right: box.right, fits: cell.scrollWidth <= cell.clientWidth + 1};
}));
"""
# How much of its place a drawing fills, or the panels of one row that is full.
_FILLED = """
return [...document.querySelectorAll("figure")].filter(each => each.checkVisibility()).map(figure => {
  const drawn = [...figure.querySelectorAll(".drawn")].filter(each => each.checkVisibility());
  const right = Math.max(...drawn.map(each => each.getBoundingClientRect().right));
  const box = figure.getBoundingClientRect();
  return [figure.querySelector("figcaption").textContent.slice(0, 40), (right - box.left) / box.width];
});
"""
# Width and height of the drawings that go on upright pages, or on those that lie across.
_PRINTED_PICTURES = """
return [...document.querySelectorAll("figure svg")].filter(
  each => each.checkVisibility() && !!each.closest(".across") == arguments[0]).map(each => {
  const box = each.getBoundingClientRect();
  return [each.getAttribute("aria-label") || each.textContent.slice(0, 60), box.width, box.height];
});
"""
