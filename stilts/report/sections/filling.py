"""How the matrix was filled, where a selecting policy chose the cells: its choices, its budget, its decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from stilts.fingerprint import Json
from stilts.ledger.decision import Decision
from stilts.ledger.decisions import decisions
from stilts.ledger.state import State
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, folded, html_table, td


def filling_section(material: Material) -> Section | None:
    """What the policy asked for and what it came to; None where every cell of a grid was asked for."""
    found = [one for one in decisions(material.results.store, material.record.name) if one.kind in ("cells", "stop")]
    if not any(one.kind == "cells" for one in found):
        return None
    ends = [one for one in found if one.kind == "stop"]
    body = [f"<p>{as_html(text)}</p>" for text in _story(material, found)]
    if ends:
        body += [_choices(ends[-1]), *_priors(ends[-1])]
    return Section(
        name="filling", title="How the matrix was filled", body=tuple(body), after=(folded("Decisions", _log(found)),)
    )


def _story(material: Material, found: Sequence[Decision]) -> Iterator[str]:
    cells = material.results.cells
    fixed = cells[~cells["row"].isin([row.name for row in material.record.rows if row.searched])]
    tried = int((fixed["state"] != State.LEFT_OUT).sum())
    policy = next(one.about for one in found if one.kind == "cells")
    yield f'The policy "{policy}" asked for {tried} of the {len(fixed)} cells of fixed rows. The others were left out.'
    last = found[-1]
    spent = last.details.get("spent_s")
    hours = f" after {float(str(spent)) / 3600:.2f} hours of stages" if spent is not None else ""
    yield f"It ended{hours}: {last.reason}" if last.kind == "stop" else "It has not ended yet."


def _choices(end: Decision) -> str:
    choices = end.details.get("choices")
    lines = [_choice_line(one) for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    caption = "What the policy would choose on selection scores, by its model of the matrix"
    return html_table(caption, ("target", "row", "P(best)", "expected score", "points it may lose"), lines)


def _choice_line(choice: dict[str, Json]) -> tuple[str, list[str]]:
    shown = (_figure(choice.get("probability"), ".0%"), _figure(choice.get("expected"), ".1f"))
    return str(choice["target"]), [td(str(choice["source"])), *map(td, shown), td(_figure(choice.get("regret"), ".2f"))]


def _priors(end: Decision) -> Iterator[str]:
    told = end.details.get("told")
    lines = [
        (
            str(one["prior"]),
            [td(str(one["cells"])), td(_figure(one.get("rank_correlation"), ".2f"))],
        )
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict)
    ]
    if lines:
        caption = "Foreign matrices that guided the choice of cells; none of their scores is in any figure here"
        yield html_table(caption, ("matrix", "cells in common", "rank correlation within targets"), lines)


def _log(found: Sequence[Decision]) -> str:
    lines = [
        (datetime.fromtimestamp(one.time, UTC).strftime("%Y-%m-%d %H:%M:%S"), [td(one.decided), td(one.reason)])
        for one in found
    ]
    return html_table("Decisions in order of time (UTC)", ("time", "decided", "why"), lines)


def _figure(value: Json, form: str) -> str:
    return format(float(str(value)), form) if isinstance(value, int | float) else "unknown"
