"""The figure of a score card says what its data say, and fits a page."""

from __future__ import annotations

from stilts.analysis.score_card import FIRST, CardLine, Mean, ScoreCard
from stilts.report.figures.estimates import estimates_plot
from stilts.report.figures.picture import PORTRAIT
from stilts.report.sections.estimates import card_figures
from tests.report.fitting import assert_fits, said


def line(name: str, spearman: Mean | None, targets: tuple[str, ...] = ("xnli", "panx")) -> CardLine:
    lost = {first: Mean(value=1.234 / first, low=0.0, high=2.0) for first in FIRST}
    return CardLine(
        name=name,
        is_reference=name == "random",
        targets=targets,
        spearman=spearman,
        kendall=None,
        ndcg=None,
        regret=lost,
        regret_pct=lost,
        seconds=None,
    )


def card(*lines: CardLine) -> ScoreCard:
    return ScoreCard(use="report", rows=("a", "b"), targets=("xnli", "panx"), lines=lines, notes=())


def test_every_line_with_a_target_is_drawn() -> None:
    told = card(line("logme", Mean(value=0.5, low=-0.1, high=0.9)), line("random", None), line("probe", None, ()))
    picture = estimates_plot(told, "study")
    assert picture is not None and picture.bands[0].width == PORTRAIT
    words = said(picture)
    assert {"logme", "random", "-"} <= set(words) and "probe" not in words
    assert picture.data["estimate"].tolist() == ["logme", "random"]
    assert picture.data["spearman_low"].iloc[0] == -0.1
    assert_fits(picture)
    assert estimates_plot(card(line("probe", None, ())), "study") is None


def test_figures_as_text() -> None:
    told = card_figures(line("logme", Mean(value=0.5, low=None, high=None)))
    assert told == ["2", "+0.50", "-", "-", "1.23 [0.00, 2.00]", "1.23", "0.41", "0.25", "-"]
