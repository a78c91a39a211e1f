"""Several encoders: the gains of one study's rows with each, and whether they go with the encoders' size."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.encoders import GAIN, AcrossEncoders, SizeEffect, across_encoders
from stilts.metrics.uncertainty import Interval
from stilts.report.drawing.axis import in_points
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td

_TENFOLD = "points for ten times the weights"


def encoders_section(material: Material) -> Section | None:
    """Gains and drops by encoder and their slopes over size; None for a study with one encoder."""
    across = across_encoders(material.results)
    if across is None:
        return None
    notes = "".join(f"<li>{as_html(line)}</li>" for line in encoder_notes(across))
    whats = dict.fromkeys(one.what for one in across.figures)
    said = "".join(f"<li>{as_html(encoders_answer(across, what))}</li>" for what in whats or (GAIN,))
    return Section(
        name="encoders",
        title="Encoders and their size",
        body=(f"<ul>{said}</ul>",),
        after=(*(_figures(across, what) for what in whats), _slopes(across), f'<ul class="note">{notes}</ul>'),
        tables={"encoders": figures_data(across), "encoder_sizes": slopes_data(across)},
    )


def encoders_answer(across: AcrossEncoders, what: str = GAIN) -> str:
    """What follows of gains, or of drops under a stress, in a sentence."""
    effects = [one for one in across.effects if one.what == what]
    if clear := [one for one in effects if one.clear]:
        said = "; ".join(f"{one.row} on {one.column} by {in_points(one.slope.estimate)}" for one in clear)
        return f"The {what} changes with the size of the encoder ({_TENFOLD}): {said}."
    if not effects:
        return f"Too little is done to say whether the {what} goes with the size of the encoder."
    if all(one.slope.one_model for one in effects):
        return f"Each cell has one seed, so nothing is claimed of whether the {what} goes with the encoder's size."
    least = min(one.smallest_visible for one in effects)
    return f"No {what} is shown to change with the encoder's size; changes of {least:.1f} {_TENFOLD} would have shown."


def encoder_notes(across: AcrossEncoders) -> list[str]:
    """What the tables rest on."""
    lacking = [f"Nothing is known yet of {', '.join(across.lacking)}."] if across.lacking else []
    return [
        "Each encoder has its own baseline: gains and drops are compared, never scores.",
        "A slope is by least squares over log10 of the weights, with embeddings; encoders differ in more than size.",
        "Encoders count as independent although they answer the same items, so intervals are rather too wide.",
        *lacking,
    ]


def figures_data(across: AcrossEncoders) -> pd.DataFrame:
    """One line per figure of each encoder."""
    return pd.DataFrame(
        {
            "study": one.study,
            "encoder": one.encoder,
            "weights": one.weights,
            "what": one.what,
            "row": one.row,
            "column": one.column,
            "points": one.value.estimate,
            "low": one.value.low,
            "high": one.value.high,
        }
        for one in across.figures
    )


def slopes_data(across: AcrossEncoders) -> pd.DataFrame:
    """One line per slope."""
    return pd.DataFrame(
        {
            "what": one.what,
            "row": one.row,
            "column": one.column,
            "slope": one.slope.estimate,
            "low": one.slope.low,
            "high": one.slope.high,
            "encoders": one.num_encoders,
            "p_adjusted": one.p_adjusted,
            "smallest_visible": one.smallest_visible,
        }
        for one in across.effects
    )


def _figures(across: AcrossEncoders, what: str) -> str:
    own = [one for one in across.figures if one.what == what]
    known = {(one.row, one.column, one.study): one for one in own}
    sizes = {one.study: f"{one.encoder} ({_millions(one.weights)})" for one in own}
    lines = [
        (
            f"{row} on {column}",
            [td(_interval(found.value) if (found := known.get((row, column, study))) else "-") for study in sizes],
        )
        for row, column in dict.fromkeys((one.row, one.column) for one in own)
    ]
    return html_table(f"The {what} by encoder, in points", ["cell", *sizes.values()], lines)


def _slopes(across: AcrossEncoders) -> str:
    head = ["cell", "of", "encoders", f"change, {_TENFOLD}", "p (Holm)", "verdict"]
    lines = [(f"{one.row} on {one.column}", _slope(one)) for one in across.effects]
    return html_table("Whether a figure goes with the encoder's size", head, lines)


def _slope(one: SizeEffect) -> list[str]:
    said = "changes" if one.clear else "one seed" if one.slope.one_model else "not shown"
    verdict = said if one.slope.one_model else f"{said}, visible from {one.smallest_visible:.1f}"
    figures = (one.what, str(one.num_encoders), _interval(one.slope), f"{one.p_adjusted:.2g}")
    return [*map(td, figures), td(verdict, kind="words")]


def _interval(found: Interval) -> str:
    return f"{in_points(found.estimate)} ({in_points(found.low)} to {in_points(found.high)})"


def _millions(weights: int | None) -> str:
    return "size unknown" if weights is None else f"{weights / 1e6:,.3g} M"
