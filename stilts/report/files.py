"""The report as files: the page, and beside it every picture as PNG and SVG and every table as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import pandas as pd

from stilts.analysis.results import StudyResults
from stilts.report.contents import sections_of
from stilts.report.drawing.png import png
from stilts.report.drawing.svg import svg
from stilts.report.figures.picture import Picture
from stilts.report.latex import latex_matrix
from stilts.report.page import html_page
from stilts.report.report_folder import check_folder, fill_folder

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
    sections = sections_of(results)
    files: list[ReportFile] = []
    if "html" in formats:
        page = html_page(results.record, sections).encode()
        files.append(ReportFile(name=PAGE, kind="html", title="report", content=page))
    for section in sections:
        files += [file for picture in section.pictures for file in _drawn(picture, formats)]
        files += [_table(name, name, table) for name, table in section.tables.items() if "csv" in formats]
    if "tex" in formats:
        tex = latex_matrix(results).encode()
        files.append(ReportFile(name="matrix.tex", kind="tex", title="matrix as a LaTeX table", content=tex))
    return tuple(files)


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


def _drawn(picture: Picture, formats: Collection[Format]) -> Iterator[ReportFile]:
    """A picture in the formats that it has: SVG, PNG and the table that it was drawn from."""
    name, title = picture.name, picture.title
    if "svg" in formats:
        yield ReportFile(name=f"{name}.svg", kind="svg", title=title, content=svg(picture.on_screen).encode())
    if "png" in formats:
        yield ReportFile(name=f"{name}.png", kind="png", title=title, content=png(picture.on_screen))
    if "csv" in formats:
        yield _table(name, title, picture.data)


def _table(name: str, title: str, table: pd.DataFrame) -> ReportFile:
    return ReportFile(name=f"{name}.csv", kind="csv", title=title, content=table.to_csv(index=False).encode())
