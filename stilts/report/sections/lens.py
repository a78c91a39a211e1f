"""The language lens: gains of languages by group, with what the test says of each group."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.lens import Lens, language_lens
from stilts.metrics.group_test import Difference
from stilts.report.drawing.axis import in_points
from stilts.report.figures.lens import lens_plot, lens_points, trend_words
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, folded, html_table, td

GROUPINGS = ("family", "script", "morphology", "resource")


def lens_section(material: Material) -> Section | None:
    """Picture, tests and notes of the lens by each grouping; None where no language has a gain, or all are alike."""
    lenses = [language_lens(material.results, by=by) for by in GROUPINGS]
    if not lenses[0].points:
        return None
    pooled = lens_points(lenses[0].points, {lens.by: lens.points for lens in lenses})
    plot = lens_plot(lenses, pooled, material.record.name)
    if plot is None:
        return None
    tested = _differences(lenses)
    return Section(
        name="lens",
        title="Language lens",
        pictures=(plot,),
        after=(_notes(lenses), *map(_table, lenses)),
        tables={
            "language_lens_targets": lens_points(lenses[0].table, {lens.by: lens.table for lens in lenses}),
            "language_lens_groups": tested,
        },
    )


def _differences(lenses: list[Lens]) -> pd.DataFrame:
    lines = []
    for lens in lenses:
        means = {} if lens.test is None else {item.group: item.mean for item in lens.test.means}
        for item in () if lens.test is None else lens.test.differences:
            lines.append(
                {
                    "by": lens.by,
                    "group": item.group,
                    "mean": means[item.group],
                    "languages": item.num_languages,
                    "families": item.num_families,
                    "other_languages": item.num_other_languages,
                    "other_families": item.num_other_families,
                    "difference": item.difference,
                    "adjusted": item.adjusted,
                    "p_adjusted": item.p_adjusted,
                    "smallest_visible": item.smallest_visible,
                    "status": str(item.status),
                    "reason": item.reason,
                }
            )
    return pd.DataFrame(lines)


def _table(lens: Lens) -> str:
    """Each group against the rest."""
    if lens.test is None or not lens.test.differences:
        return ""
    means = {item.group: item.mean for item in lens.test.means}
    head = ["group", "languages", "families", "mean gain", "against the rest", "adjusted", "p (Holm)", "verdict"]
    lines = [(item.group, _line(item, means[item.group])) for item in lens.test.differences]
    title = f"Groups by {lens.by}, each against the rest"
    return folded(title, html_table(f"{title}, in points", head, lines))


def _line(item: Difference, mean: float) -> list[str]:
    verdict = str(item.status)
    if item.smallest_visible is not None:
        verdict += f", visible from {item.smallest_visible:.1f}"
    elif item.reason:
        verdict += f": {item.reason}"
    figures = (
        str(item.num_languages),
        str(item.num_families),
        in_points(mean),
        in_points(item.difference),
        "-" if item.adjusted is None else in_points(item.adjusted),
        "-" if item.p_adjusted is None else f"{item.p_adjusted:.2g}",
    )
    return [*map(td, figures), td(verdict, kind="words")]


def _notes(lenses: list[Lens]) -> str:
    covariates = {name for lens in lenses for name in lens.covariates}
    said = [f"Whole families are permuted; covariates: {', '.join(sorted(covariates)) or 'none'}."]
    said += [f"{item.name}: {trend_words(item.trend)}." for item in lenses[0].correlations]
    said += dict.fromkeys(f"{note}." for lens in lenses for note in lens.notes)
    return f'<ul class="note">{"".join(f"<li>{as_html(line)}</li>" for line in said)}</ul>'
