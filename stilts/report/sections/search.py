"""What the search tried, gained and cost: proposals, mixtures, rivals, and where selection may be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stilts.analysis.agreement import Agreement, agreements
from stilts.analysis.contests import Contest, contests
from stilts.analysis.search_cost import SearchCost, search_costs
from stilts.analysis.spending import compute_words
from stilts.report.drawing.axis import in_points
from stilts.report.figures.mixtures import mixture_plot
from stilts.report.figures.search import history_plot
from stilts.report.markup import as_html
from stilts.report.search_words import agreement_lines, cost_lines
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td
from stilts.study.record import StudyRecord

_VERDICTS = ("better", "worse", "not told apart")
_MOST_NAMED = 4


def search_section(material: Material) -> Section | None:
    """Search history, mixtures, cost and belief; None where nothing is searched or merged, or nothing is drawn yet."""
    plots = (
        history_plot(material.proposals, material.record.name),
        mixture_plot(material.mixtures, material.record.name),
    )
    pictures = tuple(plot for plot in plots if plot is not None)
    found, costs, believed = contests(material.results), search_costs(material.results), agreements(material.results)
    if not costs or not (pictures or any(one.gain is not None for one in costs)):
        return None
    lines = [*cost_lines(costs, material.record), *agreement_lines(believed)]
    said = "".join(f"<li>{as_html(line)}</li>" for line in lines)
    body = (*_sentences(found), f"<ul>{said}</ul>", *((_table(found),) if found else ()))
    after = (_costs(costs, material.record), *((_agreements(believed),) if believed else ()))
    return Section(
        name="search",
        title="Search",
        body=body,
        pictures=pictures,
        after=after,
        tables={
            "search_costs": pd.DataFrame([one.to_json() for one in costs]),
            "selection_agreement": pd.DataFrame([one.to_json() for one in believed]),
        },
    )


def _costs(costs: Sequence[SearchCost], record: StudyRecord) -> str:
    head = ("row", "proposals", "search", "confirmation", "shared with other rows", "gain over none", "targets")
    lines = [
        (
            one.row,
            [
                td(str(one.proposals)),
                *(td(compute_words(record, seconds)) for seconds in (one.search_s, one.confirm_s, one.shared_s)),
                td("-" if one.gain is None else _gained(one)),
                td(str(len(one.targets))),
            ],
        )
        for one in costs
    ]
    return html_table("What searched and merged rows cost: stages that the study has for them alone", head, lines)


def _gained(one: SearchCost) -> str:
    assert one.gain is not None
    return f"{in_points(one.gain.estimate)} ({in_points(one.gain.low)} to {in_points(one.gain.high)})"


def _agreements(found: Sequence[Agreement]) -> str:
    caption = (
        "Whether selection scores may be believed: Spearman's correlation of select and report over recipes, and what "
        "choosing by select costs and brings on report, in points; each target by itself"
    )
    head = (
        "target",
        "select in",
        "recipes",
        "correlation",
        "95 % interval",
        "below the best",
        "above the mean",
        "verdict",
    )
    lines = [
        (
            one.target,
            [
                td(
                    ", ".join(one.languages) if len(one.languages) <= _MOST_NAMED else f"{len(one.languages)} languages"
                ),
                td(str(one.num_recipes)),
                td(f"{one.correlation:+.2f}"),
                td(f"{one.low:+.2f} to {one.high:+.2f}"),
                td(f"{one.lost:.1f}"),
                td(in_points(one.gained)),
                td(one.verdict, kind="words"),
            ],
        )
        for one in found
    ]
    return html_table(caption, head, lines)


def _sentences(found: Sequence[Contest]) -> Iterator[str]:
    """Per searched row and rival, on which targets which is better."""
    for row, rival in dict.fromkeys((one.row, one.rival) for one in found):
        own = [one for one in found if (one.row, one.rival) == (row, rival)]
        by_verdict = {verdict: [one.target for one in own if one.verdict == verdict] for verdict in _VERDICTS}
        said = "; ".join(f"{verdict} on {_targets(names)}" for verdict, names in by_verdict.items() if names)
        tried = f"{own[0].proposals} proposals against {own[0].rival_proposals}"
        yield f"<p>{as_html(f'{row} against {rival} ({tried}): {said}.')}</p>"


def _targets(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} targets"


def _table(found: Sequence[Contest]) -> str:
    caption = (
        "Searched mixtures against rows over the same tasks: differences of report scores in points, 95 % intervals; "
        "verdicts at a family-wise level of 5 % over all contests of a row (Holm)"
    )
    return html_table(caption, ("contest", "target", "difference", "95 % interval", "verdict"), map(_line, found))


def _line(one: Contest) -> tuple[str, list[str]]:
    interval = one.difference
    given = ", of the models trained" if interval.conditional else ""
    figures = (
        td(one.target),
        td(f"{interval.estimate:+z.2f}"),
        td(f"{interval.low:+z.2f} to {interval.high:+z.2f}{given}"),
        td(one.verdict),
    )
    return f"{one.row} - {one.rival}", list(figures)
