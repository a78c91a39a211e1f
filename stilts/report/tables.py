"""The matrix and the answers as Rich renderables for a terminal; plain text where there is none.

Meaning never rests on colour or weight alone: every mark is a character, and the legend below the table says
which of them occur. The words are those of ``phrases.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stilts.analysis.best import Answer
from stilts.analysis.glance import glance_of
from stilts.metrics.uncertainty import Interval
from stilts.report import phrases
from stilts.report.blocks import BlockColumn, Blocks
from stilts.report.gain_phrases import half_width
from stilts.study.record import StudyRecord


def matrix_table(
    cells: pd.DataFrame,
    record: StudyRecord,
    answers: Sequence[Answer] = (),
    gains: Mapping[tuple[str, str], Interval] | None = None,
) -> Group:
    """Rows x columns with score and gain over ``none``, means over columns, and a legend of the marks that occur.

    ``cells`` is ``matrix.cells`` of the report use; ``answers`` name the row that is chosen (bold and ``*``) or the
    oracle in each column. With ``gains``, by (row, column), a second line in each cell holds half the width of the
    gain's interval and the standard deviation over replicates. A cell without a score shows its state in words, one
    with some replicates how many.
    """
    by_cell = phrases.cells_by_name(cells)
    marks = {key: phrases.marks(cell, answers) for key, cell in by_cell.items()}
    names = [row.name for row in record.rows]
    columns = []
    for column in record.columns:
        shown = [_cell_text(by_cell[name, column.name], marks[name, column.name]) for name in names]
        if gains is not None:
            for name, text in zip(names, shown, strict=True):
                text.append(_doubt(by_cell[name, column.name], gains.get((name, column.name))), style="dim")
        columns.append(BlockColumn(name=column.name, cells=shown))
    means = phrases.mean_lines(record, cells)
    for mean in next(iter(means.values()), {}):
        told = [means[name][mean] for name in names]
        # Cells that have a second line leave room for the means' gains on theirs.
        shown = [Text(text if gains is None else text.replace(" ", "\n")) for text in told]
        columns.append(BlockColumn(name=mean, cells=shown, style="dim"))
    legend = phrases.legend(marks.values())
    if gains is not None:
        legend = "; ".join(filter(None, (legend, "± 95 % interval of the gain (standard deviation over replicates)")))
    table = Blocks(heading="intermediate", rows=[row.title for row in record.rows], columns=columns)
    return Group(Text(phrases.title(record), style="italic"), table, Text(legend, style="dim"))


def language_table(frame: pd.DataFrame, record: StudyRecord, column: str) -> Group:
    """One target's languages x rows: scores on ``report`` with gains over ``none``; ``frame`` is ``load_matrix``'s."""
    languages, *scores = zip(*phrases.language_lines(frame, record, column), strict=True)
    columns = [
        BlockColumn(name=row.title, cells=[Text(text) for text in told])
        for row, told in zip(record.rows, scores, strict=True)
    ]
    table = Blocks(heading="language", rows=languages, columns=columns)
    return Group(Text(phrases.languages_title(record, column), style="italic"), table)


def glance_lines(answers: Sequence[Answer]) -> Group:
    """A line for each target: what may be said of it, the doubt first."""
    return Group(*(Text(glance_of(answer).line, style="bold") for answer in answers))


def answer_lines(answers: Sequence[Answer]) -> Group:
    """The answers in words, a few lines per target: what to train on, how sure that is, what would make it surer."""
    lines: list[RenderableType] = []
    for answer in answers:
        headline = Text.assemble(*((text, "bold" if strong else "") for text, strong in phrases.headline(answer)))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(style="dim", no_wrap=True)
        for label, text in phrases.facts(answer):
            grid.add_row(f"{label}:", Text(text))
        lines += [headline, Padding(grid, (0, 0, 0, 2), expand=False), ""]
    return Group(*lines)


def _doubt(cell: pd.Series, gain: Interval | None) -> str:
    """A second line: half the gain's interval, and the spread over replicates; empty where there is neither."""
    # One word, so that a narrow terminal does not break it.
    text = (half_width(gain) if gain else "") + ("" if pd.isna(cell["sd"]) else f"({cell['sd']:.1f})")
    return f"\n{text}" if text else ""


def _cell_text(cell: pd.Series, marks: str) -> Text:
    figures = phrases.cell_figures(cell)
    if pd.isna(cell["score"]):
        return Text(figures.score, style="dim")
    text = Text(figures.score, style="bold" if "*" in marks else "")
    if figures.gain:
        text.append(f" {figures.gain}", style="green" if cell["gain"] > 0 else "red")
    if figures.progress:
        text.append(f" {figures.progress}", style="dim")
    return text.append(f" {marks}") if marks else text
