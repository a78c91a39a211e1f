"""The matrix and the answers as Rich renderables for a terminal; plain text where there is none.

Meaning never rests on colour or weight alone: every mark is a character, and the legend below the table says
which of them occur.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stilts.analysis.best import Answer
from stilts.analysis.matrix import State, language_scores
from stilts.metrics.averages import benchmark_score
from stilts.study.record import NONE_ROW, StudyRecord

_LEGEND = {
    "*": "chosen on select",
    "o": "highest on report (oracle, no advice)",
    "s": "single replicate",
    "~": "near chance",
    "x": "overlap: the row has seen this target's own data",
}


def matrix_table(cells: pd.DataFrame, record: StudyRecord, answers: Sequence[Answer] = ()) -> Group:
    """Rows x columns with score and gain over ``none``, means over columns, and a legend of the marks that occur.

    ``cells`` is ``matrix.cells`` of the report use; ``answers`` name the row that is chosen (bold and ``*``) or the
    oracle in each column. A cell without a score shows its state in words, one with some replicates how many.
    """
    by_cell = {(str(cell["row"]), str(cell["column"])): cell for _, cell in cells.iterrows()}
    marks = {key: _marks(cell, answers) for key, cell in by_cell.items()}
    means = _means(record, cells)
    table = _empty_table(_title(record))
    table.add_column("intermediate", no_wrap=True)
    for column in record.columns:
        table.add_column(column.name, justify="right")
    for name in next(iter(means.values()), {}):
        table.add_column(name, justify="right", style="dim")
    for row in record.rows:
        shown = [_cell_text(by_cell[row.name, c.name], marks[row.name, c.name]) for c in record.columns]
        averages = [_mean_text(mean, means[NONE_ROW][name], row.name) for name, mean in means.get(row.name, {}).items()]
        table.add_row(row.name, *shown, *averages)
    return Group(table, _legend(set("".join(marks.values()))))


def language_table(frame: pd.DataFrame, record: StudyRecord, column: str) -> Table:
    """One target's languages x rows: scores on ``report`` with gains over ``none``; ``frame`` is ``load_matrix``'s."""
    scores = language_scores(record, frame)
    of_column = scores[scores["column"] == column]
    found = dict(zip(zip(of_column["row"], of_column["language"], strict=True), of_column["score"], strict=True))
    languages = next(item.languages for item in record.columns if item.name == column)
    table = _empty_table(f"{column} by language{' (toy)' if record.toy else ''}")
    table.add_column("language", no_wrap=True)
    for row in record.rows:
        table.add_column(row.name, justify="right")
    for language in languages:
        base = found.get((NONE_ROW, language))
        table.add_row(language, *(_mean_text(found.get((row.name, language)), base, row.name) for row in record.rows))
    return table


def answer_lines(answers: Sequence[Answer]) -> Group:
    """The answers in words, a few lines per target: what to train on, how sure that is, what would make it surer."""
    lines: list[RenderableType] = []
    for answer in answers:
        lines += [_headline(answer), *_details(answer), ""]
    return Group(*lines)


def _headline(answer: Answer) -> Text:
    name = f"{answer.target}{' (toy)' if answer.toy else ''}: "
    if answer.row is None:
        return Text(name + answer.reason)
    if answer.chosen is None:
        return Text.assemble(
            (name, "bold"), f"nothing chosen, {answer.reason}; oracle: {answer.row}, {_figures(answer)}"
        )
    if answer.chosen == NONE_ROW:
        return Text.assemble((name, "bold"), f"train on no intermediate, {_figures(answer)}")
    return Text.assemble((name, "bold"), "train on ", (answer.chosen, "bold"), f" first, {_figures(answer)}")


def _figures(answer: Answer) -> str:
    text = f"score {answer.score:.1f}"
    if answer.gain is not None:
        gain = answer.gain
        interval = f"95 % interval {gain.low:+.1f} to {gain.high:+.1f}"
        given = ", conditional on seeds" if gain.conditional else ""
        zero = "" if gain.excludes_zero else ", which holds 0"
        text += f", gain {gain.estimate:+.1f} ({interval}{zero}{given})"
    return text


def _details(answer: Answer) -> list[Padding]:
    if answer.row is None:
        return []
    likely = sorted(answer.p_best.items(), key=lambda item: -item[1])
    trained = " (of the models trained: no row has two replicates)" if answer.conditional else ""
    lines = [
        f"chosen: {answer.reason}" if answer.chosen else "",
        f"conditional on {'; '.join(answer.gain.conditions)}" if answer.gain and answer.gain.conditional else "",
        _gains(answer),
        f"cannot be told from the best: {', '.join(answer.equals)}{trained}",
        f"P(best): {', '.join(f'{name} {p:.2f}' for name, p in likely if p >= 0.005)}",
        _losing(answer),
        _chance(answer),
        *(f"note: {note}" for note in answer.notes),
        f"to be surer: {answer.advice}",
    ]
    return [Padding(line, (0, 0, 0, 4)) for line in map(Text, lines) if line]


def _gains(answer: Answer) -> str:
    """Every row's gain with its own 95 % interval; an exclamation mark where it also holds over all rows together."""
    listed = [
        f"{item.row} {item.interval.estimate:+.1f} ({item.interval.low:+.1f} to {item.interval.high:+.1f})"
        + ("!" if item.p_adjusted <= 0.05 else "")
        for item in sorted(answer.gains, key=lambda item: -item.interval.estimate)
    ]
    return f"gains over {NONE_ROW} (95 % intervals; ! beyond chance by Holm): {', '.join(listed)}" if listed else ""


def _losing(answer: Answer) -> str:
    losing = ", ".join(f"{item.language} {item.gain:+.1f}" for item in answer.losing)
    return f"languages that lose (false discovery rate 5 %): {losing}" if losing else ""


def _chance(answer: Answer) -> str:
    if not answer.near_chance:
        return ""
    level = f" ({answer.chance:.1f})" if answer.chance is not None else ""
    return f"near chance{level}: {', '.join(answer.near_chance)}; read nothing into the differences"


def _empty_table(title: str) -> Table:
    return Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 0, 0, 1), safe_box=True)


def _title(record: StudyRecord) -> str:
    toy = " (toy data and encoder)" if record.toy else ""
    return f"{record.name}{toy}: score and gain over {NONE_ROW}, in points; encoder {record.encoder}"


def _marks(cell: pd.Series, answers: Sequence[Answer]) -> str:
    """The characters behind a cell's figures, in the legend's order."""
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


def _cell_text(cell: pd.Series, marks: str) -> Text:
    if math.isnan(cell["score"]):
        return Text(str(cell["state"]), style="dim")
    text = Text(f"{cell['score']:.1f}", style="bold" if "*" in marks else "")
    if cell["row"] != NONE_ROW and not math.isnan(cell["gain"]):
        text.append(f" {cell['gain']:+.1f}", style="green" if cell["gain"] > 0 else "red")
    if cell["state"] != State.DONE:
        text.append(f" {cell['num_done']}/{cell['num_planned']} {cell['state']}", style="dim")
    return text.append(f" {marks}") if marks else text


def _mean_text(score: float | None, base: float | None, row: str) -> Text:
    if score is None:
        return Text("-")
    return Text(f"{score:.1f}" if row == NONE_ROW or base is None else f"{score:.1f} {score - base:+.1f}")


def _means(record: StudyRecord, cells: pd.DataFrame) -> dict[str, dict[str, float | None]]:
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


def _mean_columns(scores: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float | None]:
    whole = len(scores) == len(groups) and not any(map(math.isnan, scores.values()))
    score = benchmark_score(scores, groups) if whole else None
    shown: dict[str, float | None] = {"mean": score.overall if score else None}
    if "retrieval" in groups.values():
        shown["no retrieval"] = score.without_retrieval if score else None
    return shown


def _legend(marks: set[str]) -> Text:
    said = [f"{mark} {meaning}" for mark, meaning in _LEGEND.items() if mark in marks]
    return Text("; ".join(said), style="dim")
