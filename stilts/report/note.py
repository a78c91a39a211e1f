"""The answer as Markdown, for the note of a study's parent run in MLflow: the answers first, then the matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stilts.analysis.best import Answer
from stilts.analysis.claims import ClaimVerdict
from stilts.analysis.glance import study_line
from stilts.report import phrases
from stilts.report.claim_words import claims_line
from stilts.report.gain_phrases import condition
from stilts.report.markup import as_markdown, as_paragraph
from stilts.study.record import NONE_ROW, StudyRecord

# What MLflow keeps of a run's tag, which the note is; it cuts the rest off without a word.
LIMIT = 8000
# Characters of the answers at a glance: about four lines of MLflow's page.
_GLANCE = 600
_WHERE = "the page (report.html) has everything"


def markdown_note(
    record: StudyRecord,
    cells: pd.DataFrame,
    answers: Sequence[Answer],
    claims: Sequence[ClaimVerdict] = (),
    *,
    limit: int = LIMIT,
) -> str:
    """The study's claims and question, one line per target with the answer, and the matrix as a table.

    At most ``limit`` characters. What does not fit goes in this order, and the note says so: means and progress,
    scores, rows that could not be the best anywhere, the table, caveats, answers from the last. ``cells`` is
    ``matrix.cells`` of the report use, ``answers`` are ``best``'s. Names are escaped.
    """
    return next(note for note in _shorter_and_shorter(record, cells, answers, claims, limit) if len(note) <= limit)


def _shorter_and_shorter(
    record: StudyRecord, cells: pd.DataFrame, answers: Sequence[Answer], claims: Sequence[ClaimVerdict], limit: int
) -> Iterator[str]:
    """The note, then with less and less in it; the last one fits any limit."""
    head = _head(record, answers, claims)
    full, brief = [_line(answer) for answer in answers], [_line(answer, caveats=False) for answer in answers]
    names = [row.name for row in record.rows]
    could = {NONE_ROW, *(row for answer in answers for row in (*answer.equals, answer.row or NONE_ROW))}
    few = [name for name in names if name in could]
    legend = as_markdown(phrases.legend(phrases.marks(cell, answers) for _, cell in cells.iterrows()))
    yield _joined(head, full, [*_whole_table(record, cells, answers)], [legend])
    yield _joined(head, full, _gain_table(cells, names), [f"Gains only: {_WHERE}."])
    if len(few) < len(names):
        left_out = f"Gains of the rows that could be the best of some target: {_WHERE}."
        yield _joined(head, full, _gain_table(cells, few), [left_out])
    yield _joined(head, full, [f"The matrix is too large for this note: {_WHERE}."])
    for kept in range(len(brief), 0, -1):
        more = len(brief) - kept
        also = f" {more} more targets:" if more else ""
        yield _joined(head, brief[:kept], [f"Matrix and caveats are too long for this note.{also} {_WHERE}."])
    yield _joined(head, [f"The answers are too long for this note: {_WHERE}."])[:limit]


def _head(record: StudyRecord, answers: Sequence[Answer], claims: Sequence[ClaimVerdict]) -> list[str]:
    """Claims and answers at a glance, for MLflow folds a note after about five lines; then the question."""
    blocks = [as_paragraph(f"{claims_line(claims)}.")] if claims else []
    blocks += [as_paragraph(f"{study_line(answers, at_most=_GLANCE)}.")] if answers else []
    blocks.append(as_paragraph(phrases.question(record)))
    if record.toy:
        blocks.append(f"**{phrases.TOY_WARNING}**")
    return ["\n\n".join([*blocks, as_paragraph(phrases.title(record))])]


def _joined(*blocks: Sequence[str]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if any(block)) + "\n"


def _whole_table(record: StudyRecord, cells: pd.DataFrame, answers: Sequence[Answer]) -> list[str]:
    by_cell, means = phrases.cells_by_name(cells), phrases.mean_lines(record, cells)
    columns = _columns(cells)
    averages = list(next(iter(means.values()), {}))
    lines = [["intermediate", *columns, *averages]]
    for row in record.rows:
        shown = [phrases.cell_line(by_cell[row.name, name], answers) for name in columns]
        lines.append([row.name, *shown, *means[row.name].values()])
    return _table(lines)


def _gain_table(cells: pd.DataFrame, rows: Sequence[str]) -> list[str]:
    by_cell, columns = phrases.cells_by_name(cells), _columns(cells)

    def said(row: str, column: str) -> str:
        figures = phrases.cell_figures(by_cell[row, column])
        return figures.gain or figures.score

    return _table([["intermediate", *columns], *([row, *(said(row, name) for name in columns)] for row in rows)])


def _columns(cells: pd.DataFrame) -> list[str]:
    return [str(name) for name in dict.fromkeys(cells["column"])]


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    rule = "| --- |" + " ---: |" * (len(lines[0]) - 1)
    written = ["| " + " | ".join(map(as_markdown, line)) + " |" for line in lines]
    return [written[0], rule, *written[1:]]


def _line(answer: Answer, *, caveats: bool = True) -> str:
    """Winner, gain and interval, the set of equals, then whatever limits them."""
    told = "".join(
        f"**{as_markdown(t.strip())}**{_gap(t)}" if strong else as_markdown(t) for t, strong in phrases.headline(answer)
    )
    if answer.row is None or not caveats:
        return f"- {told}"
    limits = (condition(answer), phrases.near_chance(answer), phrases.losing(answer), *answer.notes)
    said = [
        as_markdown(phrases.equals(answer)),
        *(f"caveat: {as_markdown(limit)}" for limit in limits if limit),
    ]
    return f"- {'; '.join([told, *said])}"


def _gap(text: str) -> str:
    """The space after an emphasised phrase: Markdown wants it outside the asterisks."""
    return text[len(text.rstrip()) :]
