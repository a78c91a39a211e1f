"""Estimates: how well cheap figures order the rows of each target, against the finished matrix."""

from __future__ import annotations

import pandas as pd

from stilts.analysis.score_card import FIRST, CardLine, Mean, ScoreCard, score_card
from stilts.report.figures.estimates import estimates_plot
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section, html_table, td

HEAD = ("estimate", "targets", "Spearman", "Kendall", "NDCG", "regret@1", "@1 %", "@3", "@5", "s/cell")


def estimates_section(material: Material) -> Section | None:
    """Table and picture of the score card, on report and where there is one on select; None without estimates."""
    if not material.record.estimates:
        return None
    card = score_card(material.results)
    if not card.targets:
        return None
    cards = [card, score_card(material.results, "select")]
    plot = estimates_plot(card, material.record.name)
    tables = [_table(each) for each in cards if each.targets]
    said = [card_caption(card), *(f"{note}." for note in card.notes)]
    notes = "".join(f"<li>{as_html(line)}</li>" for line in said)
    return Section(
        name="estimates",
        title="Estimates",
        pictures=(plot,) if plot else (),
        after=(*tables, f'<ul class="note">{notes}</ul>'),
        tables={"estimates": pd.concat([card_data(each) for each in cards])},
    )


def card_data(card: ScoreCard) -> pd.DataFrame:
    """Every figure of a card in one table: a line per estimate, a mean's ends as columns of their own."""
    lines = []
    for line in card.lines:
        flat: dict[str, object] = {"against": card.use}
        for name, value in line.to_json().items():
            if isinstance(value, dict):
                flat |= {name: value["mean"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
            else:
                flat[name] = len(value) if isinstance(value, list) else value
        lines.append(flat)
    return pd.DataFrame(lines)


def card_figures(line: CardLine) -> list[str]:
    """A line's figures as text, in the order of ``HEAD`` behind the name."""
    return [
        str(len(line.targets)),
        _figure(line.spearman, signed=True, interval=True),
        _figure(line.kendall, signed=True),
        _figure(line.ndcg),
        _figure(line.regret[1], interval=True),
        _figure(line.regret_pct[1]),
        *(_figure(line.regret[first]) for first in FIRST[1:]),
        "-" if line.seconds is None else f"{line.seconds:.1f}",
    ]


def card_caption(card: ScoreCard) -> str:
    """What the figures are."""
    return (
        f"Rows are ordered per target and judged by their mean score on {card.use}; none and searched rows are left "
        "out. Means over targets with 95 % bootstrap intervals over targets. regret@k: points (@1 also in per cent) "
        "between the best row and the best of the first k. NDCG: a row's relevance is its score between the target's "
        "worst row (0) and best (1). one_seed orders by the first seed's selection score, best_on_others by scores on "
        "the other targets; random is the expectation over all orders. An intermediate's training is not in the "
        "seconds."
    )


def _table(card: ScoreCard) -> str:
    lines = [(line.name, [td(text) for text in card_figures(line)]) for line in card.lines]
    return html_table(f"Estimates against {card.use}, {len(card.rows)} rows", HEAD, lines)


def _figure(mean: Mean | None, *, signed: bool = False, interval: bool = False) -> str:
    if mean is None:
        return "-"
    told = f"{mean.value:+.2f}" if signed else f"{mean.value:.2f}"
    if mean.low is None or mean.high is None or not interval:
        return told
    return f"{told} [{mean.low:.2f}, {mean.high:.2f}]"
