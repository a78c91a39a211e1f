import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from stilts.report.contents import sections_of
from stilts.report.page import html_page
from stilts.report.sections.material import Material
from stilts.report.sections.matrix import matrix_section
from stilts.report.sections.section import html_table
from tests.report.studies import TARGETS, Shown, searched, shown

VOID = {"meta", "br", "hr", "link", "img"}


class Outline(HTMLParser):
    """Text of a page, its tags, its attributes, and whether every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline_of(page: str) -> Outline:
    outline = Outline()
    outline.feed(page)
    outline.close()
    return outline


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"), toy=True, settings={"question": "Does <x> & y help?"})


@pytest.fixture(scope="module")
def page(study: Shown) -> str:
    return html_page(study.record, [*sections_of(study.results)])


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return outline_of(page)


def test_the_page_is_whole(page: str, outline: Outline) -> None:
    assert page.startswith("<!DOCTYPE html>") and outline.open == []
    assert outline.seen.count("figure") >= 4
    anchors = [value for name, value in outline.attributes if name == "href"]
    names = [value for name, value in outline.attributes if name == "id"]
    assert [f"#{name}" for name in names] == anchors and "settings" in names


def test_nothing_is_loaded(page: str, outline: Outline) -> None:
    assert not {"link", "img", "iframe", "object"} & set(outline.seen)
    assert outline.seen.count("script") == 1 and ("src", None) not in outline.attributes
    loaded = [v or "" for name, v in outline.attributes if name in {"src", "href", "xlink:href"}]
    assert all(value.startswith(("#", "data:")) for value in loaded)
    assert not re.search(r"url\((?!['\"]?#)|@import|fetch\(|XMLHttp", page)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_names_are_escaped(page: str, outline: Outline) -> None:
    assert "<b>&" not in page and "<x>" not in page
    assert "Does <x> & y help?" in outline.text
    assert outline.text.count("a|<b>&_c_") > 5


def test_answers_and_figures_are_in_words(outline: Outline) -> None:
    assert "toy: data and encoder are toys" in outline.text
    assert "panx (toy): train on hellaswag first, score 69.0, gain +9.0 (95 % interval" in outline.text
    assert "tatoeba has no selection score" in outline.text
    assert "to be surer: " in outline.text
    assert re.search(r"69\.0 \+9\.0 ±\d+\.\d \*", outline.text)
    assert "63.0 +3.0" in outline.text and "1/2 failed" in outline.text
    assert "panx by language (toy)" in outline.text
    assert re.search(r"replicates\d+ done, 1 missing, 1 failed", outline.text)


def test_a_reader_who_knows_no_word_is_told_what_is_asked_and_what_words_mean(outline: Outline) -> None:
    start = outline.text.index("An encoder that knows many languages")
    assert start < outline.text.index("How to read this") < outline.text.index("Details")
    assert "Study study: 3 intermediates for 3 targets, encoder toy." in outline.text
    assert "two separate parts of a target's data" in outline.text


def test_no_title_stands_above_another(outline: Outline) -> None:
    assert outline.text.count("score and gain over none, in points") == 1, "the name of the window"
    assert outline.text.count("gain over none on each target") == 0, "that is the headline of the picture's own file"


def test_what_may_be_wider_than_the_window_says_so(page: str) -> None:
    assert page.count('class="wide') == page.count('<p class="more">Scroll sideways') > 0
    assert re.search(r"@media print\{.*\.more[^{]*\{display:none", page, re.DOTALL)


def test_a_table_too_wide_for_paper_says_there_that_it_is_left_out() -> None:
    few, many = (html_table("Figures", ["name", *map(str, range(number))], []) for number in (5, 20))
    assert "more than paper holds" in many and 'class="wide many"' in many
    assert "more than paper holds" not in few


def test_a_study_without_results_has_a_page(study: Shown) -> None:
    record = replace(
        study.record, replicates=tuple(replace(r, outputs=_elsewhere(r.outputs)) for r in study.record.replicates)
    )
    results = type(study.results)(record=record, store=study.results.store, draws=10)
    page = html_page(record, [*sections_of(results)])
    assert "missing" in page and outline_of(page).open == []


def _elsewhere(outputs):  # type: ignore[no-untyped-def]
    return {use: {name: f"not-{key}" for name, key in by.items()} for use, by in outputs.items()}


def test_search_and_cost_appear_where_there_are_any(study: Shown, tmp_path) -> None:  # type: ignore[no-untyped-def]
    names = [section.name for section in sections_of(searched(tmp_path).results)]
    assert {"search", "cost"} <= set(names)
    assert "search" not in [section.name for section in sections_of(study.results)]


def test_large_matrices_are_whole_on_the_screen_and_in_bands_on_paper(page: str) -> None:
    from stilts.report.figures.heatmap import heat_map
    from stilts.report.sections.section import Section
    from tests.report.studies import table

    data, record = table(50, 20)
    picture = heat_map(data, record)
    assert len(picture.on_screen) == 1 < len(picture.bands)
    large = html_page(record, [Section(name="matrix", title="Matrix", pictures=(picture,))])
    assert 'class="has-narrow screen"' in large and 'class="paper"' in large
    assert 'class="paper"' not in page


def test_probes_stand_apart_from_targets(tmp_path) -> None:  # type: ignore[no-untyped-def]
    probe = replace(TARGETS[0], kind="masked_lm")
    made = shown(tmp_path)
    record = replace(made.record, columns=(probe, *made.record.columns[1:]))
    material = Material(results=type(made.results)(record=record, store=made.results.store, draws=10))
    assert set(material.probes["column"]) == {"xnli"} and "xnli" not in set(material.matrix["column"])
    section = matrix_section(material)
    assert section is not None and "Probes: no targets" in section.after[1]
