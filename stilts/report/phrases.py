"""What every report says in the same words: marks and their legend, a cell's figures, the sentences of an answer.

Plain text without markup: ``tables.py`` (terminal), ``heatmap.py``, ``page.py`` (HTML) and ``note.py`` (Markdown)
dress it. Figures are points of 0..100 with one decimal; gains carry their sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from stilts.analysis.best import Answer
from stilts.analysis.glance import Verdict, glance_of, verdict_of
from stilts.analysis.matrix import language_scores
from stilts.analysis.probes import is_probe
from stilts.analysis.spending import hours_words
from stilts.analysis.wording import OVERLAP
from stilts.ledger.state import State
from stilts.metrics.averages import RETRIEVAL_GROUP, benchmark_score
from stilts.report.gain_phrases import gains, interval_words, plain_interval, why_wide
from stilts.study.record import NONE_ROW, StudyRecord

# (text, whether it is emphasised)
Phrase: TypeAlias = tuple[str, bool]
CellIndex: TypeAlias = Mapping[tuple[str, str], pd.Series]

LEGEND = {
    "*": "chosen on select",
    "o": "highest on report (oracle, no advice)",
    "s": "single replicate",
    "~": "near chance (little better than guessing)",
    "x": "overlap: the row shares data or source text with this target",
}
_ONE_EACH = "no row has two seeds, so their spread is not known"
SETTING = (
    "An encoder that knows many languages is first fine-tuned on one task, the intermediate, then on the English data "
    "of another, the target, and scored on the target in every language. Which intermediate is worth it, for which "
    "target, and how sure is that?"
)
TOY_WARNING = "toy: data and encoder are toys, the figures say nothing about real tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """A cell in words: ``score``, or the state where there is no number; gain and progress are empty where unsaid."""

    score: str
    gain: str = ""
    progress: str = ""


def title(record: StudyRecord) -> str:
    """What the matrix shows: study, toy label, units and encoder."""
    toy = " (toy data and encoder)" if record.toy else ""
    return f"{record.name}{toy}: score and gain over {NONE_ROW}, in points; encoder {record.encoder}"


def subject(record: StudyRecord) -> str:
    """What is asked, for a reader who knows none of it, and which study asks it."""
    rows, targets = len([row for row in record.rows if row.name != NONE_ROW]), len(record.columns)
    sizes = f"{rows} intermediate{'' if rows == 1 else 's'} for {targets} target{'' if targets == 1 else 's'}"
    return f"{SETTING} Study {record.name}: {sizes}, encoder {record.encoder}."


def question(record: StudyRecord) -> str:
    """The question that the study file states, in one line; the one that every study asks where it states none."""
    stated = record.settings.get("question")
    if isinstance(stated, str) and stated.strip():
        return " ".join(stated.split())
    return f"Which intermediate task should {record.encoder} be fine-tuned on first?"


def languages_title(record: StudyRecord, column: str) -> str:
    """The heading of one target's table by language."""
    return f"{column} by language{' (toy)' if record.toy else ''}"


def cells_by_name(cells: pd.DataFrame) -> CellIndex:
    """The cells of ``matrix.cells`` by (row, column)."""
    return {(str(cell["row"]), str(cell["column"])): cell for _, cell in cells.iterrows()}


def cell_figures(cell: pd.Series) -> CellFigures:
    """Score, signed gain (none in the row ``none``), and how many replicates are done where some are not."""
    if math.isnan(cell["score"]):
        return CellFigures(score=str(cell["state"]))
    gain = "" if cell["row"] == NONE_ROW or math.isnan(cell["gain"]) else f"{cell['gain']:+z.1f}"
    unfinished = cell["state"] != State.DONE
    counted = "" if cell["state"] == State.UNCONFIRMED else f"{cell['num_done']}/{cell['num_planned']} "
    progress = f"{counted}{cell['state']}" if unfinished else ""
    return CellFigures(score=f"{cell['score']:.1f}", gain=gain, progress=progress)


def marks(cell: pd.Series, answers: Sequence[Answer] = ()) -> str:
    """The characters of ``LEGEND`` that hold for a cell, in its order; none for a cell without a score."""
    if math.isnan(cell["score"]):
        return ""
    answer = next((item for item in answers if item.target == cell["column"]), None)
    holds = {
        "*": answer is not None and answer.chosen == cell["row"],
        "o": answer is not None and answer.oracle == cell["row"],
        "s": cell["num_done"] == 1,
        "~": cell["near_chance"],
        "x": not pd.isna(cell["overlap"]),
    }
    return "".join(mark for mark, true in holds.items() if true)


def cell_line(cell: pd.Series, answers: Sequence[Answer] = ()) -> str:
    """A cell in one line: its figures and its marks."""
    figures = cell_figures(cell)
    return " ".join(filter(None, (figures.score, figures.gain, figures.progress, marks(cell, answers))))


def legend(occurring: Iterable[str]) -> str:
    """The meaning of the marks that occur; ``occurring`` holds marks or strings of them."""
    there = set("".join(occurring))
    return "; ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items() if mark in there)


def mean_figures(score: float | None, base: float | None, row: str) -> str:
    """A mean with its gain over ``none``; a dash where it could not be formed."""
    if score is None:
        return "-"
    return f"{score:.1f}" if row == NONE_ROW or base is None else f"{score:.1f} {score - base:+z.1f}"


def language_lines(frame: pd.DataFrame, record: StudyRecord, column: str) -> list[list[str]]:
    """Per language of a target: its name, then each row's score with its gain; ``frame`` is ``load_matrix``'s."""
    scores = language_scores(record, frame)
    of_column = scores[scores["column"] == column]
    found = dict(zip(zip(of_column["row"], of_column["language"], strict=True), of_column["score"], strict=True))
    languages = next(item.languages for item in record.columns if item.name == column)
    rows = [row.name for row in record.rows]
    return [
        [name, *(mean_figures(found.get((row, name)), found.get((NONE_ROW, name)), row) for row in rows)]
        for name in languages
    ]


def mean_lines(record: StudyRecord, cells: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Per row, its means over columns in words, by the mean's name; {} for each row of a study with one column."""
    means = _column_means(record, cells)
    return {
        row.name: {
            name: mean_figures(mean, means[NONE_ROW][name], row.name) for name, mean in means.get(row.name, {}).items()
        }
        for row in record.rows
    }


def _column_means(record: StudyRecord, cells: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Per row, the mean over targets with and without retrieval; None where a score is missing; {} for one target."""
    groups = {column.name: column.group for column in record.columns if not is_probe(column)}
    if len(groups) < 2:
        return {}
    means: dict[str, dict[str, float | None]] = {}
    for row in [NONE_ROW, *(row.name for row in record.rows)]:
        of_row = cells[(cells["row"] == row) & (cells["state"] != State.UNCONFIRMED)]
        scores = {n: s for n, s in zip(of_row["column"], of_row["score"], strict=True) if n in groups}
        means[row] = _mean_columns(scores, groups)
    return means


NO_HELP = "no intermediate is shown to help; select picks "
ONE_MODEL_EACH = "one seed each, which claims nothing; select picks "


def headline(answer: Answer) -> list[Phrase]:
    """What to train on for a target, with score, gain and interval; or why nothing can be said.

    What is advised, and how, ``analysis.glance.verdict_of`` says. Recipes beside which ``none`` was tried with fewer
    stand here too.
    """
    target = (f"{answer.target}{' (toy)' if answer.toy else ''}: ", True)
    row = answer.row
    if row is None:
        return [target, (answer.reason, False)]
    figures = f", {_figures(answer)}{_unequal(answer)}"
    verdict = verdict_of(answer)
    if verdict is Verdict.NO_CHOICE:
        return [target, (f"nothing chosen, {answer.reason}; oracle: {answer.row}{figures}", False)]
    if verdict is Verdict.NONE_PICKED:
        return [target, ("no intermediate is shown to be better than none" + figures, False)]
    if verdict is Verdict.NONE_BEST:
        return [target, ("train on no intermediate" + figures, False)]
    if verdict is Verdict.HELPS:
        return [target, ("train on ", False), (row, True), (f" first{figures}", False)]
    if verdict is Verdict.PROBABLY:
        return [target, ("probably train on ", False), (row, True), (f" first{figures}", False)]
    return [target, (_no_advice(answer, verdict), False), (row, True), (figures, False)]


def _no_advice(answer: Answer, verdict: Verdict) -> str:
    if verdict is Verdict.ONE_SEED:
        return ONE_MODEL_EACH
    if verdict is Verdict.NEAR_CHANCE:
        return "near guessing, so no row can be advised; select picks "
    others = any(gain.claimed and gain.interval.estimate > 0 for gain in answer.gains)
    return "the row that select picks is not shown to help: " if others else NO_HELP


def facts(answer: Answer) -> list[tuple[str, str]]:
    """What stands below the headline, as (label, text): overlap, why, how sure, who else, what to beware of.

    Near guessing no row and no language is said to lose: the same page asks to read nothing into the differences.
    """
    if answer.row is None:
        return []
    guessing = verdict_of(answer) is Verdict.NEAR_CHANCE
    told = [
        ("overlap", answer.overlap or ""),
        ("chosen", answer.reason if answer.chosen else ""),
        ("not counting that", plain_interval(answer)),
        ("conditional on", "; ".join(answer.gain.conditions) if answer.gain else ""),
        *_standing(answer),
        (f"gains over {NONE_ROW}", gains(answer)),
        ("why so wide", why_wide(answer)),
        ("languages that lose", "" if guessing else _losing(answer)),
        (f"clearly below {NONE_ROW}", "" if guessing else negative(answer)),
        ("spread", spread(answer)),
        ("near chance", _near_chance(answer)),
        *(("note", note) for note in answer.notes if not note.startswith(OVERLAP)),
        ("to be surer", glance_of(answer).surer),
    ]
    return [(label, text) for label, text in told if text]


def equals(answer: Answer) -> str:
    """The rows that cannot be told from the best; where that is the answer's row alone, also what that does not say."""
    trained = f" ({_ONE_EACH})" if answer.conditional else ""
    alone = _alone(answer)
    return f"cannot be told from the best: {', '.join(answer.equals)}{trained}{f'; {alone}' if alone else ''}"


def losing(answer: Answer) -> str:
    """The languages that lose, worst first, with their gains; empty where none does, or all is near guessing."""
    if not answer.losing or verdict_of(answer) is Verdict.NEAR_CHANCE:
        return ""
    return f"languages that lose (false discovery rate 5 %): {_losing(answer)}"


def near_chance(answer: Answer) -> str:
    """Which of the answer's row and ``none`` stay near guessing, with its level; empty where neither does.

    Where ``none`` alone does, the row's gain is what it is above guessing, and that may be read.
    """
    if not answer.near_chance:
        return ""
    level = f" ({answer.chance:.1f})" if answer.chance is not None else ""
    rows = f"the row{'s' if len(answer.near_chance) > 1 else ''} {' and '.join(answer.near_chance)}"
    if answer.row not in answer.near_chance:
        return f"near chance{level}: {rows}, so the gain of {answer.row} is over little more than guessing"
    return f"near chance{level}: {rows}; read nothing into the differences"


def negative(answer: Answer) -> str:
    """The rows clearly below ``none``, worst first, with their gains and where to read on; empty where none is."""
    below = ", ".join(f"{item.row} {item.interval.estimate:+z.1f}" for item in answer.negative)
    return f"{below}; why: stilts explain STUDY {answer.negative[0].row}/{answer.target}" if below else ""


def cheapest(answer: Answer) -> str:
    """The row of the set of equals that costs least to train, with its device hours; empty where not measured."""
    if answer.cheapest is None or len(answer.equals) < 2:
        return ""
    hours = answer.costs[answer.cheapest]
    return f"{answer.cheapest}, {hours_words(hours, answer.cost_unit)}{' a replicate' if hours else ''}"


def spread(answer: Answer) -> str:
    """The standard deviations that the design can tell apart, in points; empty where it cannot."""
    split = answer.variance
    if split is None or split.intermediate_seed is None or split.target_seed is None:
        return ""
    parts = {
        "intermediate seed": split.intermediate_seed,
        "target seed": split.target_seed,
        "test items": split.examples,
    }
    return "standard deviation by " + ", ".join(f"{name} {math.sqrt(value):.1f}" for name, value in parts.items())


def _standing(answer: Answer) -> list[tuple[str, str]]:
    """Who could be the best, how likely, and the cheapest of them; or that the row stands alone, and what that says."""
    if answer.conditional:
        return [
            ("could be best", f"any of {', '.join(answer.equals)}: {_ONE_EACH}"),
            ("cheapest of them", cheapest(answer)),
        ]
    likely = sorted(answer.p_best.items(), key=lambda item: -item[1])
    if len(answer.equals) == 1:
        shares = ", ".join(f"{name} {p:.2f}" for name, p in likely if p >= 0.005)
        alone = _alone(answer) or f"only {answer.equals[0]}"
        return [("could be best", f"{alone}; P(best): {shares}")]
    told = ", ".join(f"{name} {p:.2f}" for name, p in likely if name in answer.equals)
    return [("could be best", f"{told} (P(best))"), ("cheapest of them", cheapest(answer))]


def _unequal(answer: Answer) -> str:
    """From how many recipes the row was chosen, where ``none`` was tried with fewer."""
    own, none = answer.recipes
    return f"; chosen from {own} recipes, {NONE_ROW} from {none}" if own > none else ""


def _alone(answer: Answer) -> str:
    """What must be said where the answer's row is the only one left: whether its gain over ``none`` is claimed too."""
    if answer.equals != (answer.row,) or len(answer.p_best) < 2:
        return ""
    own = answer.row_gain
    said = f"{answer.row} stands alone in the comparison with the best"
    if own is None or own.claimed:
        return said
    return f"{said}, yet its gain over {NONE_ROW} is not beyond chance with all cells of the matrix together (Holm)"


def _losing(answer: Answer) -> str:
    return ", ".join(f"{item.language} {item.gain:+z.1f}" for item in answer.losing)


def _near_chance(answer: Answer) -> str:
    return near_chance(answer).partition(": ")[2]


def _figures(answer: Answer) -> str:
    text = f"score {answer.score:.1f}"
    if answer.gain is not None:
        given = ", conditional on seeds" if answer.gain.conditional else ""
        own = answer.row_gain
        counted = ", the choosing counted" if own is not None and answer.gain.low < own.interval.low else ""
        text += f", gain {answer.gain.estimate:+z.1f} ({interval_words(answer.gain)}{counted}{given})"
    return text


def _mean_columns(scores: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float | None]:
    whole = len(scores) == len(groups) and not any(map(math.isnan, scores.values()))
    score = benchmark_score(scores, groups) if whole else None
    shown: dict[str, float | None] = {"mean": score.overall if score else None}
    if RETRIEVAL_GROUP in groups.values():
        shown["no retrieval"] = score.without_retrieval if score else None
    return shown
