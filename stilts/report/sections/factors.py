"""Domain, kind of task and size: what the rows' design can tell apart, and what their scores say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stilts.analysis.factors import Factor, FactorEffect, Factors, Level, factors_of
from stilts.report.drawing.axis import in_points
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td

_WORDS = {Factor.DOMAIN: "domain", Factor.KIND: "kind of task", Factor.SIZE: "size"}
_OTHER = {Factor.DOMAIN: Factor.KIND, Factor.KIND: Factor.DOMAIN}


def factors_section(material: Material) -> Section | None:
    """The design, what it refuses, and the effects by target; None for fewer than three rows of one domain and kind."""
    factors = factors_of(material.results)
    if factors is None:
        return None
    said = "".join(f"<li>{as_html(line)}</li>" for line in factor_lines(factors))
    notes = "".join(f"<li>{as_html(line)}</li>" for line in factor_notes(factors))
    return Section(
        name="factors",
        title="Domain, kind and size",
        body=(f"<ul>{said}</ul>", _design(factors)),
        after=(_effects(factors), f'<ul class="note">{notes}</ul>'),
        tables={"factor_effects": effects_data(factors)},
    )


def factor_lines(factors: Factors) -> list[str]:
    """What follows, a sentence for each factor, then one for each difference that is refused."""
    return [
        *(_answer(factors, factor) for factor in (Factor.DOMAIN, Factor.KIND)),
        _size_answer(factors),
        *_refusals(factors.levels),
    ]


def _answer(factors: Factors, factor: Factor) -> str:
    what = _WORDS[factor]
    own = [one for one in factors.effects if one.factor is factor and one.target is None]
    if not own:
        told = any(level.against for level in factors.levels if level.factor is factor)
        why = "rows are open on every target" if told else "no two can be compared"
        return f"Nothing is said of the {what}: {why}."
    if all(one.value.one_model for one in own):
        return f"Nothing is claimed of the {what}: some cells have one seed."
    if clear := [one for one in own if one.clear]:
        said = ", ".join(f"{one.level} {in_points(one.value.estimate)}" for one in clear)
        of = "" if factors.spare else ", as far as these data sets go"
        return f"The {what} bears on the mean over targets{of}; against those with which it can be compared: {said}."
    least = min(one.smallest_visible for one in own)
    return f"No {what} is shown to differ from the others; differences of {least:.1f} points would have been seen."


def _size_answer(factors: Factors) -> str:
    if factors.size_refused:
        held = f" ({factors.sizes[0]:,} examples)" if factors.sizes and factors.sizes[0] == factors.sizes[1] else ""
        return f"No effect of size is given: {factors.size_refused}{held}."
    own = [one for one in factors.effects if one.factor is Factor.SIZE and one.target is None]
    if not own:
        return "Nothing is said of the size: rows are open on every target."
    verdict = "is shown" if own[0].clear else f"is not shown, {own[0].smallest_visible:.1f} points would have been seen"
    return f"Ten times as many examples bring {in_points(own[0].value.estimate)} points, which {verdict}."


def _refusals(levels: Sequence[Level]) -> Iterator[str]:
    for level in levels:
        if level.refused:
            with_whom = f" ({', '.join(level.rows)})"
            yield (
                f"Refused: {level.name}{with_whom} against {', '.join(level.refused)}: no rows join them, so that an "
                f"effect of {_WORDS[level.factor]} could be one of {_WORDS[_OTHER[level.factor]]}."
            )


def factor_notes(factors: Factors) -> list[str]:
    """What the effects rest on."""
    chains = [
        f"{level.name} with {', '.join(name for name in level.against if name not in level.met)}"
        for level in factors.levels
        if set(level.against) - set(level.met)
    ]
    chained = (
        [f"by a chain of rows alone, which takes it that effects of domain and kind add up: {'; '.join(chains)}"]
        if chains
        else []
    )
    checked = (
        f"{factors.spare} rows are left to check that effects add up: p values count how far they are from it"
        if factors.spare
        else "No row is left to check that effects add up; intervals are of these data sets, not of all of their domain"
    )
    left_out = [f"{row} has no place here: {why}" for row, why in factors.left_out.items()]
    lacking = [f"Left out, since rows are open there: {', '.join(factors.lacking)}"] if factors.lacking else []
    return [f"{line[0].upper()}{line[1:]}." for line in (*chained, checked, *left_out, *lacking)]


def effects_data(factors: Factors) -> pd.DataFrame:
    """One line per effect."""
    return pd.DataFrame(
        {
            "factor": str(one.factor),
            "level": one.level,
            "target": one.target or "mean",
            "points": one.value.estimate,
            "low": one.value.low,
            "high": one.value.high,
            "p_adjusted": one.p_adjusted,
            "smallest_visible": one.smallest_visible,
        }
        for one in factors.effects
    )


def _design(factors: Factors) -> str:
    """Which rows stand where: domains down, kinds across."""
    kinds = [level.name for level in factors.levels if level.factor is Factor.KIND]
    domains = [level.name for level in factors.levels if level.factor is Factor.DOMAIN]
    lines = [
        (
            domain,
            [
                td(", ".join(one.row for one in factors.rows if (one.domain, one.kind) == (domain, kind)))
                for kind in kinds
            ],
        )
        for domain in domains
    ]
    return html_table("The design: rows by domain and kind of task", ["domain", *kinds], lines)


def _effects(factors: Factors) -> str:
    targets = list(dict.fromkeys(one.target for one in factors.effects))
    head = [
        "effect",
        "against",
        *("mean of targets" if name is None else name for name in targets),
        "p (Holm)",
        "verdict",
    ]
    lines = []
    for factor, level in dict.fromkeys((one.factor, one.level) for one in factors.effects):
        own = {one.target: one for one in factors.effects if (one.factor, one.level) == (factor, level)}
        found = next((one for one in factors.levels if (one.factor, one.name) == (factor, level)), None)
        against = "" if found is None else ", ".join(found.against) if found.refused else "all others"
        figures = [td(_interval(own[name]) if name in own else "-") for name in targets]
        mean = own.get(None, next(iter(own.values())))
        cells = [td(against, kind="words"), *figures, td(f"{mean.p_adjusted:.2g}")]
        lines.append((f"{_WORDS[factor]}: {level}", [*cells, td(_verdict(mean), kind="words")]))
    return html_table("Effects in points, with their 95 % intervals; a star is clear on that target", head, lines)


def _verdict(one: FactorEffect) -> str:
    if one.value.one_model:
        return "one seed"
    return f"{'shown' if one.clear else 'not shown'}, visible from {one.smallest_visible:.1f}"


def _interval(one: FactorEffect) -> str:
    star = "*" if one.clear and one.target is not None else ""
    return f"{in_points(one.value.estimate)}{star} ({in_points(one.value.low)} to {in_points(one.value.high)})"
