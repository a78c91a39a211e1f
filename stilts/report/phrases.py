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
from stilts.analysis.matrix import State, language_scores
from stilts.metrics.averages import RETRIEVAL_GROUP, benchmark_score
from stilts.metrics.uncertainty import Interval
from stilts.study.record import NONE_ROW, StudyRecord

# (text, whether it is emphasised)
Phrase: TypeAlias = tuple[str, bool]
CellIndex: TypeAlias = Mapping[tuple[str, str], pd.Series]

LEGEND = {
    "*": "chosen on select",
    "o": "highest on report (oracle, no advice)",
    "s": "single replicate",
    "~": "near chance",
    "x": "overlap: the row has seen this target's own data",
}
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
    gain = "" if cell["row"] == NONE_ROW or math.isnan(cell["gain"]) else f"{cell['gain']:+.1f}"
    unfinished = cell["state"] != State.DONE
    progress = f"{cell['num_done']}/{cell['num_planned']} {cell['state']}" if unfinished else ""
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
    return f"{score:.1f}" if row == NONE_ROW or base is None else f"{score:.1f} {score - base:+.1f}"


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
    """Per row, the mean over columns with and without retrieval; None where a score is missing; {} for one column."""
    groups = {column.name: column.group for column in record.columns}
    if len(groups) < 2:
        return {}
    means: dict[str, dict[str, float | None]] = {}
    for row in [NONE_ROW, *(row.name for row in record.rows)]:
        of_row = cells[cells["row"] == row]
        scores = dict(zip(of_row["column"], of_row["score"], strict=True))
        means[row] = _mean_columns(scores, groups)
    return means


def headline(answer: Answer) -> list[Phrase]:
    """What to train on for a target, with score, gain and interval; or why nothing can be said."""
    target = (f"{answer.target}{' (toy)' if answer.toy else ''}: ", True)
    if answer.row is None:
        return [target, (answer.reason, False)]
    figures = f", {_figures(answer)}"
    if answer.chosen is None:
        return [target, (f"nothing chosen, {answer.reason}; oracle: {answer.row}{figures}", False)]
    if answer.chosen == NONE_ROW:
        return [target, ("train on no intermediate" + figures, False)]
    return [target, ("train on ", False), (answer.chosen, True), (f" first{figures}", False)]


def details(answer: Answer) -> list[str]:
    """The sentences below the headline: why, how sure, who is as good, what to beware of, what would make it surer."""
    if answer.row is None:
        return []
    lines = [
        f"chosen: {answer.reason}" if answer.chosen else "",
        condition(answer),
        _gains(answer),
        equals(answer),
        _p_best(answer),
        losing(answer),
        near_chance(answer),
        *(f"note: {note}" for note in answer.notes),
        f"to be surer: {answer.advice}",
    ]
    return [line for line in lines if line]


def interval_words(interval: Interval) -> str:
    """Low and high end of an interval with its level, and whether it holds 0."""
    zero = "" if interval.excludes_zero else ", which holds 0"
    return f"{interval.level * 100:g} % interval {interval.low:+.1f} to {interval.high:+.1f}{zero}"


def condition(answer: Answer) -> str:
    """What the gain's interval is conditional on; empty where it is not."""
    conditional = answer.gain is not None and answer.gain.conditional
    return f"conditional on {'; '.join(answer.gain.conditions)}" if answer.gain and conditional else ""


def equals(answer: Answer) -> str:
    """The rows that cannot be told from the best."""
    trained = " (of the models trained: no row has two replicates)" if answer.conditional else ""
    return f"cannot be told from the best: {', '.join(answer.equals)}{trained}"


def losing(answer: Answer) -> str:
    """The languages that lose, worst first, with their gains; empty where none does."""
    lose = ", ".join(f"{item.language} {item.gain:+.1f}" for item in answer.losing)
    return f"languages that lose (false discovery rate 5 %): {lose}" if lose else ""


def near_chance(answer: Answer) -> str:
    """Which of the answer's row and ``none`` stay near guessing, with its level; empty where neither does."""
    if not answer.near_chance:
        return ""
    level = f" ({answer.chance:.1f})" if answer.chance is not None else ""
    return f"near chance{level}: {', '.join(answer.near_chance)}; read nothing into the differences"


def _figures(answer: Answer) -> str:
    text = f"score {answer.score:.1f}"
    if answer.gain is not None:
        given = ", conditional on seeds" if answer.gain.conditional else ""
        text += f", gain {answer.gain.estimate:+.1f} ({interval_words(answer.gain)}{given})"
    return text


def _gains(answer: Answer) -> str:
    """Every row's gain with its own 95 % interval; an exclamation mark where it also holds over all rows together."""
    listed = [
        f"{item.row} {item.interval.estimate:+.1f} ({item.interval.low:+.1f} to {item.interval.high:+.1f})"
        + ("!" if item.p_adjusted <= 0.05 else "")
        for item in sorted(answer.gains, key=lambda item: -item.interval.estimate)
    ]
    return f"gains over {NONE_ROW} (95 % intervals; ! beyond chance by Holm): {', '.join(listed)}" if listed else ""


def _p_best(answer: Answer) -> str:
    likely = sorted(answer.p_best.items(), key=lambda item: -item[1])
    return f"P(best): {', '.join(f'{name} {p:.2f}' for name, p in likely if p >= 0.005)}"


def _mean_columns(scores: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float | None]:
    whole = len(scores) == len(groups) and not any(map(math.isnan, scores.values()))
    score = benchmark_score(scores, groups) if whole else None
    shown: dict[str, float | None] = {"mean": score.overall if score else None}
    if RETRIEVAL_GROUP in groups.values():
        shown["no retrieval"] = score.without_retrieval if score else None
    return shown
