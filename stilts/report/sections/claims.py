"""Claims, first of all: what was expected beforehand, and what the results say of it."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.claims import claims_of
from stilts.report.claim_words import claim_words, counts, effect_words, visible
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td

_HEAD = ("claim", "verdict", "effect", "95 % interval", "threshold", "p (Holm)", "would have been seen", "n")
_CAPTION = "What was claimed before the study ran, and what its results say"
_HOW = (
    "Effects are in points. A claim is supported where its effect is beyond the threshold on the claimed side, not "
    "supported where it is beyond it on the other side, else undecided; p values are adjusted for all claims together. "
    "So far beyond its threshold an effect would have been found in 80 % of studies like this one."
)


def claims_section(material: Material) -> Section | None:
    """A line for each claim of the study's file; None where it makes none."""
    verdicts = claims_of(material.results)
    if not verdicts:
        return None
    lines = [
        (
            one.name,
            [
                td(str(one.standing)),
                td(effect_words(one)),
                td("" if one.low is None else f"{one.low:+z.1f} to {one.high:+z.1f}"),
                td(f"{one.side} {one.threshold:g}"),
                td("" if one.p_adjusted is None else f"{one.p_adjusted:.2g}"),
                td(visible(one)),
                td(counts(one) if one.effect is not None else one.reason),
            ],
        )
        for one in verdicts
    ]
    said = "".join(
        f"<li>{as_html(f'{one.text}: ' if one.text else '')}{as_html(claim_words(one))}.</li>" for one in verdicts
    )
    table = html_table(_CAPTION, _HEAD, lines)
    return Section(
        name="claims",
        title="Claims",
        body=(f"<ul>{said}</ul>", table, f'<p class="note">{as_html(_HOW)}</p>'),
        tables={"claims": pd.DataFrame([one.to_json() for one in verdicts])},
    )
