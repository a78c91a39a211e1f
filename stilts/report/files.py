"""The report as files: the page, and beside it every picture as PNG and SVG and every table as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from stilts.analysis.results import StudyResults
from stilts.report.contents import sections_of
from stilts.report.drawing.svg import svg
from stilts.report.drawing.worker import PngWorker
from stilts.report.latex import latex_matrix
from stilts.report.page import html_page
from stilts.report.report_folder import check_folder, fill_folder
from stilts.report.sections.section import Section

Format: TypeAlias = Literal["html", "svg", "png", "csv", "tex"]
FORMATS: tuple[Format, ...] = get_args(Format)
PAGE = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One file of a report: its name in the folder, its kind, what it shows, and its bytes."""

    name: str
    kind: Format
    title: str
    content: bytes


def report_files(results: StudyResults, formats: Collection[Format] = FORMATS) -> tuple[ReportFile, ...]:
    """The report of a study in these formats, the page first: a function of the results alone.

    PNG has two pixels to each CSS pixel. The same results give the same bytes.
    """
    wanted = frozenset(formats)
    with PngWorker(alone="png" not in wanted) as worker:
        sections = []
        for section in sections_of(results):
            sections.append(section)
            for picture in section.pictures if "png" in wanted else ():
                worker.draw(picture.name, picture.on_screen)
        files = [*_texts(results, sections, wanted), *_tables(sections, wanted)]
        titles = {picture.name: picture.title for section in sections for picture in section.pictures}
        drawn = worker.finish()
    images = (ReportFile(name=f"{n}.png", kind="png", title=titles[n], content=c) for n, c in drawn.items())
    return (*files, *images)


def write_report(
    results: StudyResults, folder: str | Path, formats: Collection[Format] = FORMATS
) -> tuple[ReportFile, ...]:
    """Writes the report's files into a folder, which is made where there is none, and returns them.

    What an earlier report left there is overwritten; InputError, before anything is drawn or written, where the folder
    holds anything else (``report_folder.py`` says how the two are told apart).
    """
    place = Path(folder)
    check_folder(place)
    files = report_files(results, formats)
    fill_folder(place, {file.name: file.content for file in files})
    return files


def _texts(results: StudyResults, sections: Sequence[Section], wanted: frozenset[Format]) -> Iterator[ReportFile]:
    if "html" in wanted:
        page = html_page(results.record, sections).encode()
        yield ReportFile(name=PAGE, kind="html", title="report", content=page)
    for picture in (picture for section in sections for picture in section.pictures):
        if "svg" in wanted:
            content = svg(picture.on_screen).encode()
            yield ReportFile(name=f"{picture.name}.svg", kind="svg", title=picture.title, content=content)
    if "tex" in wanted:
        tex = latex_matrix(results).encode()
        yield ReportFile(name="matrix.tex", kind="tex", title="matrix as a LaTeX table", content=tex)


def _tables(sections: Sequence[Section], wanted: frozenset[Format]) -> Iterator[ReportFile]:
    if "csv" not in wanted:
        return
    for section in sections:
        tables = {picture.name: (picture.title, picture.data) for picture in section.pictures}
        tables |= {name: (name, table) for name, table in section.tables.items()}
        for name, (title, table) in tables.items():
            content = table.to_csv(index=False).encode()
            yield ReportFile(name=f"{name}.csv", kind="csv", title=title, content=content)
