"""What others published, beside the study's own figures, and which of its settings are theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stilts.analysis.published import PublishedGain, published_gains, sources_of
from stilts.report.drawing.axis import in_points
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td
from stilts.study.published_schema import PublishedFigures

_HEAD = ("row", "published", "ours", "95 % interval", "reading", "mean over")


def published_section(material: Material) -> Section | None:
    """A table for each source; None where the study's file names none."""
    sources, gains = sources_of(material.results), published_gains(material.results)
    if not sources:
        return None
    said = "".join(f"<li>{as_html(line)}</li>" for line in published_lines(gains))
    return Section(
        name="published",
        title="Published figures",
        body=(
            f"<ul>{said}</ul>",
            *(_table(one.source, [g for g in gains if g.source == one.source]) for one in sources),
        ),
        after=tuple(_settings(sources)),
        tables={"published": pd.DataFrame([one.to_json() for one in gains])},
    )


def published_lines(gains: Sequence[PublishedGain]) -> list[str]:
    """What follows, a sentence per reading."""
    found: dict[str, list[str]] = {}
    for one in gains:
        ours = "" if one.own is None else f" ({in_points(one.published)} there, {in_points(one.own.estimate)} here)"
        found.setdefault(one.reading, []).append(f"{one.row}{ours}")
    lines = [f"{reading[0].upper()}{reading[1:]}: {', '.join(rows)}." for reading, rows in found.items()]
    less = list(dict.fromkeys(name for one in gains for name in one.lacking))
    return [
        *lines,
        *([f"Our means are without {', '.join(less)}: not done, or nothing can be chosen there."] if less else []),
    ]


def _table(source: str, gains: Sequence[PublishedGain]) -> str:
    lines = [
        (
            one.row,
            [
                td(in_points(one.published)),
                td("-" if one.own is None else in_points(one.own.estimate)),
                td("" if one.own is None else f"{in_points(one.own.low)} to {in_points(one.own.high)}"),
                td(one.reading, kind="words"),
                td(f"{len(one.targets)} of {len(one.targets) + len(one.lacking)} targets"),
            ],
        )
        for one in gains
    ]
    return html_table(f"{source}: mean gains over none, in points", _HEAD, lines)


def _settings(sources: Sequence[PublishedFigures]) -> Iterator[str]:
    for one in sources:
        scored = [] if one.none is None else [f"{one.source}: none scores {one.none:.1f} there."]
        theirs = [f"Settings from {one.source}: {'; '.join(one.theirs)}."] if one.theirs else []
        unknown = [f"Not known of {one.source}, so ours: {'; '.join(one.unknown)}."] if one.unknown else []
        if lines := [*scored, *theirs, *unknown]:
            yield f'<ul class="note">{"".join(f"<li>{as_html(line)}</li>" for line in lines)}</ul>'
