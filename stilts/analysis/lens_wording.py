"""The language lens in sentences: what terminal and page print beside its table."""

from __future__ import annotations

from stilts.analysis.lens import Correlation, Lens
from stilts.metrics.group_test import Difference, Status


def lens_lines(lens: Lens) -> tuple[str, ...]:
    """What the lens says, one sentence a line: groups tested, groups described, correlations, notes."""
    differences = lens.test.differences if lens.test else ()
    tested = [difference_line(item) for item in differences if item.status is not Status.DESCRIPTIVE]
    described = [item for item in differences if item.status is Status.DESCRIPTIVE]
    return (
        *tested,
        *_described(described),
        *_together(lens),
        *(correlation_line(item) for item in lens.correlations),
        *lens.notes,
    )


def difference_line(item: Difference) -> str:
    """One group against the rest: its difference, what stands behind it, and whether it is real."""
    behind = (
        f"{_count(item.num_languages, 'language')} of {_count(item.num_families, 'family')} "
        f"against {item.num_other_languages} of {item.num_other_families}"
    )
    shown = item.difference if item.adjusted is None else item.adjusted
    head = f"{item.group}: {shown:+z.1f} points against the rest ({behind})"
    if item.p_adjusted is None or item.smallest_visible is None:
        return f"{head}; descriptive: {item.reason}"
    if item.status is Status.DECIDED:
        return f"{head}; real (p {_p(item.p_adjusted)})"
    return (
        f"{head}; undecided (p {_p(item.p_adjusted)}): a difference below {item.smallest_visible:.1f} could be missed"
    )


def correlation_line(item: Correlation) -> str:
    """How gains go with one property, and whether that is more than chance."""
    trend = item.trend
    if trend.correlation is None:
        return f"{item.name}: {trend.reason}"
    behind = f"{_count(trend.num_languages, 'language')} of {_count(trend.num_families, 'family')}"
    head = f"{item.name}: rank correlation {trend.correlation:+.2f} ({behind})"
    if trend.p_value is None or trend.smallest_visible is None:
        return f"{head}; descriptive: {trend.reason}"
    if trend.status is Status.DECIDED:
        return f"{head}; real (p {_p(trend.p_value)})"
    return f"{head}; undecided (p {_p(trend.p_value)}): one below {trend.smallest_visible:.2f} could be missed"


def _described(items: list[Difference]) -> tuple[str, ...]:
    """Groups of which nothing is claimed, in one line: many studies have a dozen of them."""
    if not items:
        return ()
    figures = ", ".join(f"{item.group} {item.difference:+z.1f}" for item in items)
    return (f"descriptive, too few families to test each against the rest: {figures}",)


def _together(lens: Lens) -> tuple[str, ...]:
    omnibus = lens.test.omnibus if lens.test else None
    if omnibus is None or omnibus.p_value is None or len(omnibus.groups) < 3:
        return ()  # Of two groups their difference says it already.
    verdict = "they differ" if omnibus.status is Status.DECIDED else "undecided whether they differ"
    return (f"{', '.join(omnibus.groups)} together: {verdict} (p {_p(omnibus.p_value)})",)


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
