"""Source languages: gains by the language of the intermediate and that of the target, and whether nearness helps."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stilts.analysis.sources import SourceRow, sources_of
from stilts.report.drawing.axis import in_points
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td
from stilts.tasks.language_codes import base_language

_HEAD = ("row", "in", "own language", "own family", "others", "with distance", "p (Holm)", "verdict", "targets")
_NOTE = (
    "Gains over none in points, pooled over the targets on which a row is done; English is left out. With distance: "
    "Spearman's correlation of gains with the syntactic distance (URIEL) from the row's language, families permuted: "
    "below 0 where near languages gain more; its own language is left out of it. What varies there are languages: with "
    "one seed it is of one model. Own language and family are means without a test."
)


def sources_section(material: Material) -> Section | None:
    """A line for each row in one language, and its gains by language; None for a study with fewer than two such."""
    rows = sources_of(material.results)
    if not rows:
        return None
    said = "".join(f"<li>{as_html(line)}</li>" for line in source_lines(rows))
    return Section(
        name="sources",
        title="Source languages",
        body=(f"<ul>{said}</ul>", _rows(rows)),
        after=(_gains(rows), f'<p class="note">{as_html(_NOTE)}</p>'),
        tables={"source_languages": sources_data(rows)},
    )


def source_lines(rows: Sequence[SourceRow]) -> list[str]:
    """What follows: whether near languages gain more, and which row is highest in each row's own language."""
    clear = [one for one in rows if one.clear]
    tested = [one for one in rows if one.p_adjusted is not None]
    lines = []
    if clear:
        said = ", ".join(f"{one.row} {one.trend.correlation:+.2f}" for one in clear)
        lines.append(f"Gains go with the distance from the row's language (below 0: near languages gain more): {said}.")
    elif tested:
        least = min(one.trend.smallest_visible or 1.0 for one in tested)
        lines.append(f"No row's gains are shown to go with distance; correlations of {least:.2f} would have been seen.")
    else:
        lines.append("Too few languages or families are scored to say whether gains go with distance.")
    for language in dict.fromkeys(one.language for one in rows):
        reached = {one.row: one.gains[code] for one in rows for code in one.gains if base_language(code) == language}
        if len(reached) > 1:
            best = max(reached, key=lambda row: reached[row])
            own = [one.row for one in rows if one.language == language]
            how = "which is in it" if best in own else f"not that of {' or '.join(own)}"
            lines.append(f"In {language} the highest gain is that of {best} ({in_points(reached[best])}), {how}.")
    return lines


def sources_data(rows: Sequence[SourceRow]) -> pd.DataFrame:
    """One line per row and target language."""
    return pd.DataFrame(
        {"row": one.row, "source": one.language, "language": code, "gain": gain}
        for one in rows
        for code, gain in one.gains.items()
    )


def _rows(rows: Sequence[SourceRow]) -> str:
    lines = [
        (
            one.row,
            [
                td(one.language),
                *(td("-" if mean is None else in_points(mean)) for mean in (one.own, one.family, one.others)),
                td("-" if one.trend.correlation is None else f"{one.trend.correlation:+.2f}"),
                td("-" if one.p_adjusted is None else f"{one.p_adjusted:.2g}"),
                td(_verdict(one), kind="words"),
                td(str(len(one.targets))),
            ],
        )
        for one in rows
    ]
    return html_table("Rows in one language: mean gains in points, and how they go with distance", _HEAD, lines)


def _verdict(one: SourceRow) -> str:
    if one.p_adjusted is None:
        return one.trend.reason
    return "goes with distance" if one.clear else "not shown"


def _gains(rows: Sequence[SourceRow]) -> str:
    codes = sorted({code for one in rows for code in one.gains})
    lines = [
        (
            f"{one.row} ({one.language})",
            [td(in_points(one.gains[code]) if code in one.gains else "-") for code in codes],
        )
        for one in rows
    ]
    return html_table("Gains in points by source and target language", ["row", *codes], lines)
