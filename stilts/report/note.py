"""The answer as Markdown, for the note of a study's parent run in MLflow."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from stilts.analysis.best import Answer
from stilts.report import phrases
from stilts.study.record import StudyRecord


def markdown_note(record: StudyRecord, cells: pd.DataFrame, answers: Sequence[Answer]) -> str:
    """The study's question, its matrix as a table of scores and gains, and one line per target with the answer.

    ``cells`` is ``matrix.cells`` of the report use, ``answers`` are ``best``'s. Names are escaped.
    """
    blocks = [
        [_escaped(phrases.question(record))],
        [f"**{phrases.TOY_WARNING}**"] if record.toy else [],
        [_escaped(phrases.title(record))],
        _table(cells, record, answers),
        [_escaped(phrases.legend(phrases.marks(cell, answers) for _, cell in cells.iterrows()))],
        [f"- {_line(answer)}" for answer in answers],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if any(block)) + "\n"


def _table(cells: pd.DataFrame, record: StudyRecord, answers: Sequence[Answer]) -> list[str]:
    by_cell = phrases.cells_by_name(cells)
    means = phrases.mean_lines(record, cells)
    names = [column.name for column in record.columns]
    averages = list(next(iter(means.values()), {}))
    lines = [["intermediate", *names, *averages]]
    for row in record.rows:
        shown = [phrases.cell_line(by_cell[row.name, name], answers) for name in names]
        lines.append([row.name, *shown, *means[row.name].values()])
    rule = "| --- |" + " ---: |" * (len(lines[0]) - 1)
    written = ["| " + " | ".join(map(_escaped, line)) + " |" for line in lines]
    return [written[0], rule, *written[1:]]


def _line(answer: Answer) -> str:
    """Winner, gain and interval, the set of equals, then whatever limits them."""
    told = "".join(
        f"**{_escaped(t.strip())}**{_gap(t)}" if strong else _escaped(t) for t, strong in phrases.headline(answer)
    )
    if answer.row is None:
        return told
    limits = (phrases.condition(answer), phrases.near_chance(answer), phrases.losing(answer), *answer.notes)
    said = [_escaped(phrases.equals(answer)), *(f"caveat: {_escaped(limit)}" for limit in limits if limit)]
    return "; ".join([told, *said])


def _gap(text: str) -> str:
    """The space after an emphasised phrase: Markdown wants it outside the asterisks."""
    return text[len(text.rstrip()) :]


def _escaped(text: str) -> str:
    """Text with the characters that Markdown reads as markup made literal; underscores inside words are none."""
    return re.sub(r"([\\`*\[\]<>|~]|\b_|_\b)", r"\\\1", " ".join(text.splitlines()))
