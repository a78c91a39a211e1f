import re
from html.parser import HTMLParser

import pytest

from stilts.report.page import matrix_page
from tests.report.studies import Shown, shown

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


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"), toy=True, settings={"question": "Does <x> & y help?"})


@pytest.fixture(scope="module")
def page(study: Shown) -> str:
    return matrix_page(study.cells, study.frame, study.record, study.answers)


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    outline = Outline()
    outline.feed(page)
    outline.close()
    return outline


def test_the_page_is_whole(page: str, outline: Outline) -> None:
    assert page.startswith("<!DOCTYPE html>") and outline.open == []
    assert outline.seen.count("svg") == 1
    assert outline.seen.count("table") == 1 + 3, "the matrix, and every target by language"


def test_nothing_is_loaded_and_nothing_runs(page: str, outline: Outline) -> None:
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.seen)
    loaded = [v or "" for name, v in outline.attributes if name in {"src", "href", "xlink:href"}]
    assert all(value.startswith(("#", "data:")) for value in loaded)
    assert not re.search(r"url\((?!['\"]?#)|@import", page)
    assert len(page) < 100_000


def test_names_are_escaped(page: str, outline: Outline) -> None:
    assert "<b>" not in page and "<x>" not in page
    assert "Does <x> & y help?" in outline.text
    assert outline.text.count("a|<b>&_c_") > 5


def test_answers_and_figures_are_in_words(outline: Outline) -> None:
    assert "toy: data and encoder are toys" in outline.text
    assert "panx (toy): train on hellaswag first, score 69.0, gain +9.0 (95 % interval" in outline.text
    assert "tatoeba has no selection score" in outline.text
    assert "note: overlap" not in outline.text and "to be surer:" in outline.text
    assert "69.0 +9.0 *" in outline.text and "* chosen on select" in outline.text
    assert "63.0 +3.0 1/2 failed s" in outline.text
    assert "panx by language (toy)" in outline.text


def test_a_study_without_results_has_a_page(study: Shown) -> None:
    nothing = study.cells.assign(score=float("nan"), gain=float("nan"), state="missing", num_done=0)
    assert "missing" in matrix_page(nothing, study.frame.assign(score=float("nan")), study.record, [])
