"""Words of the page and what they mean, for a reader who has seen none of the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from stilts.report.markup import as_html
from stilts.report.sections.section import folded
from stilts.study.record import NONE_ROW

_WORDS = {
    "row, cell": "a row is an intermediate, a cell one intermediate with one target",
    NONE_ROW: "the row without an intermediate: the encoder learns the target at once",
    "select, report": "two separate parts of a target's data: rows are chosen on select, and scored on report",
    "oracle": "the row highest on report itself: chosen with hindsight, so its score flatters it",
    "seed, replicate": "a random start of a training; a replicate is one model trained from its own",
    "conditional on seeds": "so few seeds that the interval is of the models trained, and not of the next ones",
    "could be best, equals": "rows that chance may have ordered; P(best) is how likely each is the best",
    "Holm": "a stricter test: of all cells that it calls beyond chance, with 95 % certainty none is so by luck",
    "false discovery rate 5 %": "of the languages said to lose or gain, at most about one in twenty is so by luck",
    "near chance": "little better than guessing without looking",
    "overlap": "the intermediate has seen data or text that the target is scored or trained on: a gain may be memory",
    "spread": "how far scores of the same cell differ by seed or test items, as standard deviations in points",
}


def reading(lines: Iterable[tuple[str, str]]) -> str:
    """Words beside their meanings."""
    told = "".join(f"<dt>{as_html(word)}</dt><dd>{as_html(meaning)}</dd>" for word, meaning in lines)
    return f'<dl class="reading">{told}</dl>'


def words() -> str:
    """The words that details and figures use, folded."""
    return folded("Words used in details and figures", reading(_WORDS.items()))
