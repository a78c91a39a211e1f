"""What the search tried: history of proposals, mixtures, and whether a searched mixture beats its rivals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stilts.analysis.contests import Contest, contests
from stilts.report.figures.mixtures import mixture_plot
from stilts.report.figures.search import history_plot
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td

_VERDICTS = ("better", "worse", "not told apart")
_MOST_NAMED = 4


def search_section(material: Material) -> Section | None:
    """Search history and mixtures; None where nothing was searched, or no proposal is drawn yet."""
    plots = (
        history_plot(material.proposals, material.record.name),
        mixture_plot(material.mixtures, material.record.name),
    )
    pictures = tuple(plot for plot in plots if plot is not None)
    found = contests(material.results)
    body = (*_sentences(found), _table(found)) if found else ()
    return Section(name="search", title="Search", body=body, pictures=pictures) if pictures else None


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
