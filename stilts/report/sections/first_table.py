"""The first table of the page: a line per target with its doubt, and what each column's words mean right below."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.analysis.best import Answer
from stilts.analysis.glance import SHARES_DATA, Glance, Verdict, glance_of
from stilts.analysis.spending import hours_words
from stilts.metrics.uncertainty import Interval
from stilts.report.markup import as_html
from stilts.report.sections.words import reading
from stilts.study.record import NONE_ROW, StudyRecord

_GAIN = f"gain over {NONE_ROW}"
_HEAD = ("target", "train on first", "score", _GAIN, "how sure", "what it costs", "what would settle it")
_NOTHING = "-"


def first_table(answers: Sequence[Answer]) -> str:
    """A line per target; what is not beyond chance is pale. On a narrow screen each line becomes a card."""
    head = "".join(f'<th scope="col">{as_html(name)}</th>' for name in _HEAD)
    body = "\n".join(_line(glance_of(answer)) for answer in answers)
    return f'<table class="first"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'


def how_to_read(answers: Sequence[Answer], record: StudyRecord) -> str:
    """One short line per column of the table, and for each verdict that occurs."""
    glances = [glance_of(answer) for answer in answers]
    return f'<h3 class="how">How to read this</h3>{reading(_words(glances, record))}'


def _line(glance: Glance) -> str:
    pale = "" if glance.verdict.is_advice or glance.verdict is Verdict.NONE_BEST else "pale"
    strong = "strong" if glance.verdict in (Verdict.HELPS, Verdict.NONE_BEST) else pale
    cells = (
        (as_html(glance.train_on), strong),
        (_NOTHING if glance.score is None else f"{glance.score:.1f}", ""),
        (_gain(glance), pale),
        (as_html(glance.sure), "sure"),
        ("not measured" if glance.hours is None else as_html(hours_words(glance.hours, glance.unit)), "cost"),
        (as_html(glance.surer), "last"),
    )
    shown = "".join(
        f'<td data-of="{as_html(name)}" class="{kind}"><span>{text}</span></td>'
        for name, (text, kind) in zip(_HEAD[1:], cells, strict=True)
    )
    return f'<tr><th scope="row">{as_html(glance.target)}</th>{shown}</tr>'


def _gain(glance: Glance) -> str:
    if glance.gain is None:
        return _NOTHING
    one_model = "<br>one model" if glance.gain.one_model else ""
    ends = f"{_end(glance.gain.low)} to {_end(glance.gain.high)}"
    return f'{glance.gain.estimate:+z.1f}<br><span class="ends">{ends}</span>{one_model}'


def _end(value: float) -> str:
    """An end of an interval; so finely that one beside 0 says on which side it lies."""
    return f"{value:+z.2f}" if abs(value) < 0.05 else f"{value:+z.1f}"


def _words(glances: Sequence[Glance], record: StudyRecord) -> list[tuple[str, str]]:
    gains = [glance.gain for glance in glances if glance.gain is not None]
    verdicts = [verdict for verdict in Verdict if any(glance.verdict is verdict for glance in glances)]
    searched = any(row.searched for row in record.rows)
    told = [
        ("train on first", f"the intermediate to fine-tune on before the target; {NONE_ROW} is the target at once"),
        ("score", "0 to 100, mean over the target's languages, on data that no choice was made by"),
        ("gain", f"the score less that of {NONE_ROW}, in points: below 0 the intermediate harms" if gains else ""),
        ("interval", _interval_words(gains)),
        ("one model", _ONE_MODEL if any(gain.one_model for gain in gains) else ""),
        *((str(verdict), verdict.meaning) for verdict in verdicts),
        ("scores higher", _HIGHER if any(glance.higher for glance in glances) else ""),
        (SHARES_DATA, _SHARES if any(glance.overlap for glance in glances) else ""),
        ("confirmed", _CONFIRMED if searched else ""),
        ("what it costs", "compute to train one such model, from intermediate to target, with one seed"),
        ("what would settle it", _SETTLES),
    ]
    return [(name, text) for name, text in told if text]


def _interval_words(gains: Sequence[Interval]) -> str:
    if not gains:
        return ""
    return (
        f"the smaller figures below the gain: {gains[0].level * 100:g} of 100 such intervals hold the true gain, and "
        "one that holds 0 may be no gain at all. Seeds, test items and the choice of the row are counted"
    )


_SETTLES = "the least that may make the answer surer, with its compute; a seed is a training from another random start"
_ONE_MODEL = "trained once: the interval is of that model, and says nothing of the next one trained alike"
_HIGHER = "another row was higher on the data of the score, beyond chance, than the one picked on the data to choose by"
_SHARES = "the intermediate learned from data or text of the target itself: some of the gain may be memory"
_CONFIRMED = (
    "what a search found was trained again with fresh seeds, and those are scored; until then the cell says "
    "unconfirmed and is never advised"
)
