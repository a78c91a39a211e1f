"""Robustness: what perturbations and attacks cost each row, and whether an intermediate spares a target some of it."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.analysis.robustness import StressCell, stress_cells, stress_table
from stilts.metrics.uncertainty import Interval
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, folded, html_table, td

_HEAD = ("row", "clean", "stressed", "drop", "spared against none", "attack success", "queries")
_HEAD_LANGUAGES = ("language", "clean", "stressed", "drop", "attack success", "queries")


def robustness_section(material: Material) -> Section | None:
    """What follows in sentences, a table for each stress of a target, scores by language; None without stresses."""
    cells = stress_cells(material.results)
    if not cells:
        return None
    groups: dict[tuple[str, str], list[StressCell]] = {}
    for cell in cells:
        groups.setdefault((cell.column, cell.stress), []).append(cell)
    said = "".join(f"<li>{as_html(line)}</li>" for line in said_of(cells))
    return Section(
        name="robustness",
        title="Robustness",
        body=(f"<ul>{said}</ul>",),
        after=(
            *(_table(f"{column}, {stress}", group) for (column, stress), group in groups.items()),
            *(
                folded(title, html_table(f"{title}, drops in points", _HEAD_LANGUAGES, _languages(cell)))
                for cell in cells
                for title in (f"{cell.row} on {cell.column} under {cell.stress}, by language",)
            ),
            f'<p class="note">{as_html(_NOTE)}</p>',
        ),
        tables={"robustness": stress_table(material.results)},
    )


_NOTE = (
    "A drop is the clean score minus the stressed one of the same models on the same examples, as a mean over "
    "languages, in points with its 95 % interval. Spared: by how much it is smaller than that of none. Attack success: "
    "percent of the examples that the model had right, or in part, whose own score fell to half or less."
)


def said_of(cells: Sequence[StressCell]) -> list[str]:
    """What follows: the costliest stress of each target, and the rows that spare or lose beyond doubt."""
    found = []
    for column in dict.fromkeys(cell.column for cell in cells):
        own = [cell for cell in cells if cell.column == column]
        worst = max(own, key=lambda cell: cell.drop.estimate)
        found.append(
            f"{column}: {worst.stress} costs most, {_points(worst.drop)} points for {worst.row} "
            f"(from {worst.clean:.1f} to {worst.stressed:.1f})."
        )
        sure = [cell for cell in own if cell.spared is not None and cell.spared.excludes_zero]
        for cell in sure:
            assert cell.spared is not None
            way = "smaller" if cell.spared.estimate > 0 else "larger"
            by = _points(cell.spared)
            found.append(f"{column}, {cell.stress}: the drop after {cell.row} is {way}, by {by} points.")
        if not sure and any(cell.spared is not None for cell in own):
            found.append(f"{column}: no intermediate changes a drop beyond doubt.")
    return found


def _table(title: str, cells: Sequence[StressCell]) -> str:
    lines = [
        (
            cell.row,
            [
                td(f"{cell.clean:.1f}"),
                td(f"{cell.stressed:.1f}"),
                td(_points(cell.drop)),
                td("-" if cell.spared is None else _points(cell.spared)),
                td(_mean(list(cell.attack_success.values()))),
                td(_mean(list(cell.queries.values()))),
            ],
        )
        for cell in cells
    ]
    return html_table(f"{title}: drops in points", _HEAD, lines)


def _languages(cell: StressCell) -> list[tuple[str, list[str]]]:
    return [
        (
            code,
            [
                td(f"{clean:.1f}"),
                td(f"{stressed:.1f}"),
                td(_points(drop)),
                td(_mean([cell.attack_success[code]] if code in cell.attack_success else [])),
                td(_mean([cell.queries[code]] if code in cell.queries else [])),
            ],
        )
        for code, (clean, stressed, drop) in cell.by_language.items()
    ]


def _points(interval: Interval) -> str:
    return f"{interval.estimate:+.1f} [{interval.low:+.1f}, {interval.high:+.1f}]"


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.1f}" if values else "-"
