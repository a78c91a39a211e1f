"""Gains by language: small multiples of one row per target, and every row's scores by language."""

from __future__ import annotations

from stilts.report import phrases
from stilts.report.figures.languages import language_plot
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, folded, html_table, td
from stilts.study.record import NONE_ROW, Column


def languages_section(material: Material) -> Section | None:
    """Gains by language of the chosen rows, then a table of scores per target; None where no language is scored."""
    scores = material.results.language_scores
    if scores.empty:
        return None
    found = dict(
        zip(zip(scores["row"], scores["column"], scores["language"], strict=True), scores["score"], strict=True)
    )
    plot = language_plot(material.languages, material.record.name)
    return Section(
        name="languages",
        title="Languages",
        pictures=(plot,) if plot else (),
        after=tuple(_table(material, column, found) for column in material.record.columns),
        tables={"language_scores": scores},
    )


def _table(material: Material, column: Column, found: dict[tuple[str, str, str], float]) -> str:
    rows = [row.name for row in material.record.rows]
    lines = []
    for language in column.languages:
        base = found.get((NONE_ROW, column.name, language))
        figures = (phrases.mean_figures(found.get((row, column.name, language)), base, row) for row in rows)
        lines.append((language, [td(text) for text in figures]))
    title = phrases.languages_title(material.record, column.name)
    return folded(title, html_table(f"{title}: score and gain of every row", ["language", *rows], lines))
