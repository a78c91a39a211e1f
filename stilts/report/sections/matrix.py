"""The matrix: heat map, table of scores and gains, forest plots."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.probes import targets_of
from stilts.report import phrases
from stilts.report.figures.forest import forest_plot
from stilts.report.figures.heatmap import heat_map
from stilts.report.figures.matrix_data import half_width
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, folded, html_table, td


def matrix_section(material: Material) -> Section | None:
    """Heat map and table of every cell."""
    if material.matrix.empty:
        return None
    return Section(
        name="matrix",
        title="Matrix",
        pictures=(heat_map(material.matrix, material.record),),
        after=(folded("The same as a table, with means", _table(material)), _probes(material)),
        tables={} if material.probes.empty else {"probes": material.probes},
    )


def targets_section(material: Material) -> Section | None:
    """A forest plot per target."""
    if material.matrix.empty:
        return None
    return Section(name="targets", title="Gains per target", pictures=(forest_plot(material.matrix, material.record),))


def _probes(material: Material) -> str:
    """The columns that are no targets, where there are any."""
    if material.probes.empty:
        return ""
    by_cell = phrases.cells_by_name(material.probes)
    names = [str(name) for name in dict.fromkeys(material.probes["column"])]
    lines = [(row.name, [_cell(by_cell[row.name, name]) for name in names]) for row in material.record.rows]
    title = "Probes: no targets, but what the encoder forgets or keeps"
    return html_table(title, ["intermediate", *names], lines)


def _table(material: Material) -> str:
    record, by_cell = material.record, phrases.cells_by_name(material.matrix)
    means = phrases.mean_lines(record, material.results.cells)
    names = [column.name for column in targets_of(record)]
    lines = []
    for row in record.rows:
        shown = [_cell(by_cell[row.name, name]) for name in names]
        lines.append((row.name, [*shown, *(td(mean) for mean in means[row.name].values())]))
    legend = phrases.legend(str(marks) for marks in material.matrix["marks"])
    below = f'<p class="note">{as_html(legend)}</p>' if legend else ""
    title = "Scores and gains, with the half width of the gain's 95 % interval"
    return html_table(title, ["intermediate", *names, *next(iter(means.values()), {})], lines) + below


def _cell(cell: pd.Series) -> str:
    figures = phrases.cell_figures(cell)
    gain = f"{figures.gain} {half_width(cell)}".strip()
    text = " ".join(filter(None, (figures.score, gain, figures.progress, str(cell["marks"]))))
    return td(text, kind="chosen" if cell["chosen"] else "note" if pd.isna(cell["score"]) else "")
