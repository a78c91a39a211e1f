"""Text from outside in Markdown, HTML, SVG, LaTeX and CSV: it is text there, whatever it holds."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stilts.report.drawing.png import png
from stilts.report.drawing.scene import Scene
from stilts.report.drawing.svg import svg
from stilts.report.drawing.text import fold, text_width
from stilts.report.files import report_files
from stilts.report.front_matter import front_matter
from stilts.report.latex import latex_text
from stilts.report.markup import as_block, as_code, as_html, as_markdown, as_paragraph
from stilts.report.model_card import CardModel, model_card
from stilts.report.note import markdown_note
from stilts.shown import shown
from stilts.study.record import Row
from tests.analysis.fake_store import column, record, replicate
from tests.cli.hostile import ALL, RAW
from tests.report.studies import shown as shown_study
from tests.report.test_model_card import KNOWN, study

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(st.sampled_from("*_`[]()<>!|\\~#&$-+=.1a \n\x1b"))
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE_TAGS = ("<script", "<img", "<a ", "<strong>", "<em>", "<h2>", "<hr", "<li>", "<del>")


class Seen(HTMLParser):
    """The text of a page, and the tags that were read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", list[str]()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def spaced(text: str) -> str:
    return " ".join(text.split())


@given(ANY_TEXT)
def test_a_paragraph_of_markdown_reads_as_the_text(text: str) -> None:
    seen = Seen(MARKDOWN.render(as_paragraph(text)))
    assert set(seen.tags) <= {"p"}
    assert spaced(seen.text) == spaced(shown(" ".join(text.splitlines())))


@given(ANY_TEXT)
def test_a_cell_of_a_table_stays_one_cell(text: str) -> None:
    seen = Seen(MARKDOWN.render(f"| a | b |\n| --- | --- |\n| {as_markdown(text)} | x |\n"))
    assert (seen.tags.count("td"), seen.tags.count("tr"), seen.tags.count("table")) == (2, 2, 1)
    assert set(seen.tags) <= {"table", "thead", "tbody", "tr", "th", "td"}


@given(ANY_TEXT)
def test_code_reads_as_the_text(text: str) -> None:
    seen = Seen(MARKDOWN.render(f"a {as_code(text)} b"))
    assert seen.tags == ["p", "code"]
    assert spaced(seen.text) == spaced(f"a {shown(' '.join(text.splitlines()))} b")
    block = Seen(MARKDOWN.render(as_block(text, "sh")))
    assert block.tags == ["pre", "code"]


@given(ANY_TEXT)
def test_html_reads_as_the_text(text: str) -> None:
    (element,) = ElementTree.fromstring(f'<p><b title="{as_html(text)}">{as_html(text)}</b></p>')
    wanted = shown(text.replace("\r\n", "\n"), keep="\n\t")
    assert (element.text or "") == wanted


@given(ANY_TEXT)
def test_svg_is_xml_and_latex_has_no_raw_character(text: str) -> None:
    scene = Scene(width=100, height=20)
    scene.text(1, 1, text)
    scene.box(0, 0, 10, 10, "#ffffff", hint=text)
    read = "".join(ElementTree.fromstring(svg([scene]).encode()).itertext())
    assert read.startswith(shown(text)) if text else not read
    assert not RAW.search(latex_text(text)) and "\n" not in latex_text(text)


def test_a_text_is_folded_by_what_is_drawn() -> None:
    for line in fold("\x1b" * 40 + " word", 100, 8, lines=99):
        assert text_width(line, 8) <= 100 and not RAW.search(line)
    scene = Scene(width=300, height=20)
    scene.text(1, 9, "\x1b\ud800\uffff")
    assert scene.texts[0].extent[2] - 1 == pytest.approx(text_width(r"\x1b\ud800\uffff", 8.0))
    assert png([scene]).startswith(b"\x89PNG")


@given(ANY_TEXT)
def test_the_front_matter_is_yaml_whatever_the_licence(text: str) -> None:
    target = column("xnli")
    made = record([Row(name="none")], [target], [], encoder=text or "toy")
    item = replicate("none", target, None, 1)
    written = front_matter(made, item, target, licences={"mine": f"GPL {text}", text or "x": "MIT"}, score=60.0)
    assert not re.search(r"^---", written, re.MULTILINE)
    value = yaml.safe_load(written)
    assert value["base_model"] == shown(text or "toy") and value["model-index"][0]["results"]
    assert value.get("license_name", "other") in (shown(f"GPL {text}"), "other")


def test_norwegian_is_a_language_to_the_hub() -> None:
    """The hub reads YAML 1.1, where a bare ``no`` is false."""
    target = replace(column("xnli"), languages=("en", "no"))
    item = replicate("none", target, None, 1)
    written = front_matter(record([Row(name="none")], [target], []), item, target, licences={}, score=None)
    assert yaml.safe_load(written)["language"] == ["en", "no"]


def test_the_card_of_a_hostile_study_shows_its_text(tmp_path: Path) -> None:
    datasets = {name: {**fields, "licence": ALL, "domain": ALL} for name, fields in KNOWN["datasets"].items()}  # type: ignore[attr-defined]
    results, item = study(tmp_path, datasets=datasets, settings={"question": ALL}, overlaps=(("squad", "udpos", ALL),))
    rebuild = f"stilts export it ```\n{ALL}"
    card = model_card(results, CardModel(replicate=item, stage=item.target_stage, rebuild=rebuild))
    assert not RAW.search(card) and ModelCard(card).data.base_model == "toy"
    body = card.split("\n---\n", 1)[1]
    page = MARKDOWN.render(body)
    assert not any(tag in page for tag in HOSTILE_TAGS if tag not in ("<h2>", "<li>", "<strong>"))
    seen = Seen(page)
    assert spaced(shown(" ".join(ALL.splitlines()))) in spaced(seen.text)
    assert len({line.count("|") - line.count(r"\|") for line in body.splitlines() if line.startswith("| squad |")}) == 1
    assert seen.tags.count("h2") == 6 and "a" not in seen.tags and seen.tags.count("pre") == 2


def test_the_note_of_a_hostile_study_shows_its_text(tmp_path: Path) -> None:
    made = shown_study(tmp_path, settings={"question": f"# {ALL}"}, overlaps=(("mnli", "xnli", ALL),))
    note = markdown_note(made.record, made.cells, [replace(a, notes=(ALL,)) for a in made.answers], limit=100_000)
    seen = Seen(MARKDOWN.render(note))
    assert not RAW.search(note) and not {"script", "img", "a", "code", "h1", "del"} & set(seen.tags)


def test_the_report_of_a_hostile_study_is_text_in_every_format(tmp_path: Path) -> None:
    settings = {"question": ALL, "data": {"source": ALL}}
    made = shown_study(tmp_path, settings=settings, overlaps=(("mnli", "xnli", ALL),), text=ALL, encoder=ALL)
    files = {file.name: file for file in report_files(made.results, ["html", "svg", "csv", "tex"])}
    for file in files.values():
        text = file.content.decode()
        if file.kind == "svg":
            assert ElementTree.fromstring(file.content).tag.endswith("svg")
        if file.kind == "csv":
            assert len({len(line) for line in csv.reader(StringIO(text))}) == 1
        else:
            assert not RAW.search(text), file.name
    page = files["report.html"].content.decode()
    assert Seen(page).tags.count("script") == 1 and "<img" not in page
    for element in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert ElementTree.fromstring(element) is not None
    tex = files["matrix.tex"].content.decode()
    assert r"\textless{}script\textgreater{}" in tex and r"\textbackslash{}x1b" in tex and "<script>" not in tex


def test_the_hostile_line_is_hostile() -> None:
    """Unescaped it does what the tests above look for."""
    page = MARKDOWN.render(f"A line: {ALL}")
    assert "<script" in page and "<img" in page and "<strong>" in page and RAW.search(ALL)
